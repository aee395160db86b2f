import type { EntryActor } from "@/lib/audit/entry";
import type { AgentIdentity } from "@/lib/auth/agent-identity";
import type { RequestContext } from "@/lib/core/context";
import { actorId, actorName } from "@/lib/core/context";

/** Who calls, as the road needs it: whatever the entrance, the rest of the road is the same. */
export type Identity = {
  readonly tenantId: string;
  readonly permissions: ReadonlySet<string>;
  readonly roles: readonly { readonly slug: string; readonly permissions: readonly string[] }[];
  readonly actor: EntryActor;
  /** The member an agent acts for. */
  readonly onBehalfOf: string | null;
  readonly authMethod: "agent_key" | "api_token" | "session";
  /** Id of the key, token or session that was presented, never the secret. */
  readonly credentialId: string | null;
};

/** The identity behind a verified agent key. */
export const agentIdentity = (agent: AgentIdentity): Identity => ({
  tenantId: agent.tenantId,
  permissions: agent.permissions,
  roles: agent.roles,
  actor: { type: "agent", id: agent.agentId, name: agent.slug },
  onBehalfOf: agent.ownerMemberId,
  authMethod: "agent_key",
  credentialId: agent.keyId,
});

/** A person who tries a tool from the console. */
export const userIdentity = (ctx: RequestContext): Identity => ({
  tenantId: ctx.tenantId,
  permissions: ctx.permissions,
  roles: [],
  actor: { type: "user", id: actorId(ctx.actor), name: actorName(ctx.actor) },
  onBehalfOf: null,
  authMethod: ctx.actor.kind === "user" ? ctx.actor.authMethod : "session",
  credentialId: ctx.actor.kind === "user" ? (ctx.actor.credentialId ?? null) : null,
});
