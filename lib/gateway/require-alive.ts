import { AppError } from "@/lib/core/errors";
import { type Soon, soon } from "@/lib/core/soon";
import type { Grant } from "@/lib/gateway/authorize";
import type { Identity } from "@/lib/gateway/identity";
import type { KillSet, ThrownSwitch } from "@/lib/kill-switches/kill-set";

export type KillCheck = (tenantId: string) => Soon<KillSet>;
type Deps = { readonly killSwitches: KillCheck };

/** Who does something, and where. A name that is empty stands for no server, or no single tool. */
export type Doing = Pick<Grant, "identity" | "ref">;

/** The switch that stops this; null when none does. */
export const killedBy = (set: KillSet, { identity, ref }: Doing): ThrownSwitch | null =>
  set.stops({
    agent: identity.actor.type === "agent" ? identity.actor.name : null,
    server: ref.server,
    tool: ref.tool,
  });

/** Throws `killed` while a person has stopped the agent, tool, server or tenant. Nobody is exempt. */
export const requireAlive = (gateway: Deps, grant: Grant): Soon<void> =>
  soon(gateway.killSwitches(grant.identity.tenantId), (set) => refuseKilled(set, grant));

function refuseKilled(set: KillSet, grant: Grant): void {
  if (set.size === 0) return;
  const thrown = killedBy(set, grant);
  if (thrown === null) return;
  const { decision, map } = grant;
  throw new AppError("killed", textOf(thrown), { killSwitch: thrown.id }, { decision, map });
}

/** Throws `killed` while everything that this identity does is stopped, or, where one is named, everything at a server. */
export async function requireCallerAlive(gateway: Deps, identity: Identity, server: string | null): Promise<void> {
  const set = await gateway.killSwitches(identity.tenantId);
  const thrown = killedBy(set, { identity, ref: { server: server ?? "", tool: "" } });
  if (thrown !== null) throw new AppError("killed", textOf(thrown), { killSwitch: thrown.id });
}

const WHAT = {
  agent: "This agent",
  tool: "This tool",
  server: "This server",
  tenant: "Everything in this tenant",
} as const;

const textOf = ({ kind, reason }: ThrownSwitch): string =>
  `${WHAT[kind]} was stopped by a kill switch${reason === "" ? "" : `: ${reason.replace(/\.$/, "")}`}. Do not try again; an admin of your tenant can lift it.`;
