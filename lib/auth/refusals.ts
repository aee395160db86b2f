import "server-only";
import { makeRefusalLedger, type RefusalLedger } from "@/lib/audit/refusal-ledger";
import { trail } from "@/lib/audit/trail";
import { newId, PLATFORM_TENANT_ID } from "@/lib/core/ids";
import { singleton } from "@/lib/core/singleton";

export type Refusal = {
  readonly reason: string;
  /** Who they said they were; proven by nothing. */
  readonly claimed?: string | null;
  readonly ip: string | null;
  readonly userAgent?: string | null;
  readonly requestId?: string;
  readonly authMethod: string;
  readonly target?: string;
};

const ledger = (): RefusalLedger =>
  singleton("auth.refusals", () =>
    makeRefusalLedger({
      append: (draft) => trail().append(draft),
      owe: (draft) => trail().owe(draft),
      individually: 1,
    }),
  );

/**
 * Records a refused sign-in or credential in the platform's chain. The first from an address and reason is written
 * at once; more of the same within a minute share an entry that says how many they were.
 */
export async function recordRefusal(refusal: Refusal): Promise<void> {
  await ledger().record(`${refusal.ip ?? "?"} ${refusal.reason}`, {
    tenantId: PLATFORM_TENANT_ID,
    phase: "auth",
    eventType: "session.refused",
    outcome: "denied",
    decision: "denied",
    reasonCode: refusal.reason,
    actor: { type: "anonymous", id: "anonymous", name: refusal.claimed?.slice(0, 200) ?? "anonymous" },
    authMethod: refusal.authMethod,
    requestId: refusal.requestId ?? newId(),
    ip: refusal.ip,
    userAgent: refusal.userAgent ?? null,
    ...(refusal.target === undefined ? {} : { target: refusal.target }),
  });
}

/** Writes what is still only counted. */
export const flushRefusals = (): Promise<void> => ledger().flush();
