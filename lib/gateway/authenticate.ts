import type { AgentKeyCheck, AgentKeyRefusal } from "@/lib/auth/agent-identity";
import { AppError } from "@/lib/core/errors";
import { type Soon, soon } from "@/lib/core/soon";
import type { GatewayDeps } from "@/lib/gateway/gateway-deps";
import { agentIdentity, type Identity } from "@/lib/gateway/identity";
import type { Credential } from "@/lib/gateway/tool-call";

const WORDS: Readonly<Record<AgentKeyRefusal["reason"] | "missing", string>> = {
  missing: "Send your agent key in the Authorization header: Bearer cs_…",
  malformed: "This is not an agent key. Send it in the Authorization header: Bearer cs_…",
  unknown: "This agent key is not known here.",
  key_revoked: "This agent key was revoked.",
  key_expired: "This agent key has expired.",
  agent_suspended: "This agent is suspended.",
  tenant_suspended: "The tenant of this agent is suspended.",
};

/** A refused key, with what the trail may know of it. */
export type KeyRefusal = { readonly reason: string; readonly known: AgentKeyRefusal["known"] };

const refused = (reason: keyof typeof WORDS, known: AgentKeyRefusal["known"]): AppError =>
  new AppError("unauthenticated", WORDS[reason], { reason }, { reason, known } satisfies KeyRefusal);

/** What is known of a key that was refused; null for any other error. */
export function keyRefusalOf(error: AppError): KeyRefusal | null {
  return error.code === "unauthenticated" ? ((error.cause as KeyRefusal | undefined) ?? null) : null;
}

/** Who calls. Throws `unauthenticated`, saying why: whoever holds a key may know what became of it. */
export function authenticate(gateway: Pick<GatewayDeps, "checkKey">, credential: Credential): Soon<Identity> {
  if (credential.kind === "checked") return credential.identity;
  if (credential.secret === null) throw refused("missing", null);
  return soon(gateway.checkKey(credential.secret), identityIn);
}

function identityIn(check: AgentKeyCheck): Identity {
  if (!check.ok) throw refused(check.reason, check.known);
  return agentIdentity(check.identity);
}
