import "server-only";
import type { EntryDraft } from "@/lib/audit/entry";
import { makeRefusalLedger, type RefusalLedger } from "@/lib/audit/refusal-ledger";
import { trail } from "@/lib/audit/trail";
import { singleton } from "@/lib/core/singleton";

const ledger = (): RefusalLedger =>
  singleton("audit.denials", () =>
    makeRefusalLedger({ append: (draft) => trail().append(draft), owe: (draft) => trail().owe(draft) }),
  );

/**
 * Records that somebody known lacked a permission, and returns the id of the entry that says so. Counted by who they are,
 * not by session or token, of which one person may have many.
 */
export const recordDenial = (draft: EntryDraft): Promise<string> => ledger().record(draft.actor.id, draft);

/** Writes what is still only counted. */
export const flushDenials = (): Promise<void> => ledger().flush();
