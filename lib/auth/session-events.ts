import "server-only";
import { appendInTransaction } from "@/lib/audit/append-in-transaction";
import type { EntryActor } from "@/lib/audit/entry";
import { newId, PLATFORM_TENANT_ID } from "@/lib/core/ids";
import { enterChain, type PlatformTx } from "@/lib/db/in-tenant";

/** Where a request came from, as far as known. */
export type SeenFrom = { readonly requestId?: string; readonly ip?: string | null; readonly userAgent?: string | null };

type SessionEvent = {
  readonly eventType: string;
  readonly actor: EntryActor;
  readonly target: string;
  readonly sessionId?: string;
  readonly reasonCode?: string;
  readonly payload?: unknown;
};

/** Appends an event of somebody's session to the chain of `tenantId`, or the platform's, inside the same transaction. */
export async function recordSessionEvent(
  tx: PlatformTx,
  tenantId: string | null,
  event: SessionEvent,
  seen: SeenFrom,
): Promise<void> {
  const chain = tenantId ?? PLATFORM_TENANT_ID;
  await enterChain(tx, chain);
  await appendInTransaction(tx, {
    tenantId: chain,
    phase: "auth",
    eventType: event.eventType,
    outcome: "success",
    actor: event.actor,
    target: event.target,
    authMethod: "oidc",
    requestId: seen.requestId ?? newId(),
    ip: seen.ip ?? null,
    userAgent: seen.userAgent ?? null,
    ...(event.sessionId === undefined ? {} : { credentialId: event.sessionId }),
    ...(event.reasonCode === undefined ? {} : { reasonCode: event.reasonCode }),
    ...(event.payload === undefined ? {} : { payload: event.payload }),
  });
}
