import { AppError } from "@/lib/core/errors";
import type { Grant } from "@/lib/gateway/authorize";
import type { KillSet, ThrownSwitch } from "@/lib/kill-switches/kill-set";

export type KillCheck = (tenantId: string) => Promise<KillSet>;

/** The switch that stops this call; null when none does. */
export const killedBy = (set: KillSet, { identity, ref }: Grant): ThrownSwitch | null =>
  set.stops({
    agent: identity.actor.type === "agent" ? identity.actor.name : null,
    server: ref.server,
    tool: ref.tool,
  });

/** Throws `killed` while a person has stopped the agent, tool, server or tenant. Nobody is exempt. */
export async function requireAlive(gateway: { readonly killSwitches: KillCheck }, grant: Grant): Promise<void> {
  const set = await gateway.killSwitches(grant.identity.tenantId);
  if (set.size === 0) return;
  const thrown = killedBy(set, grant);
  if (thrown === null) return;
  const { decision, map } = grant;
  throw new AppError("killed", textOf(thrown), { killSwitch: thrown.id }, { decision, map });
}

const WHAT = {
  agent: "This agent",
  tool: "This tool",
  server: "This server",
  tenant: "Everything in this tenant",
} as const;

const textOf = ({ kind, reason }: ThrownSwitch): string =>
  `${WHAT[kind]} was stopped by a kill switch${reason === "" ? "" : `: ${reason.replace(/\.$/, "")}`}. Do not try again; an admin of your tenant can lift it.`;
