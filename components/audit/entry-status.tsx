import { Status, type StatusState } from "@/components/ui/status";
import type { EntryView } from "@/lib/audit/schemas";

type Judged = Pick<EntryView, "outcome" | "decision">;

/** One word for how it ended. */
export function statusOf({ outcome, decision }: Judged): StatusState {
  if (outcome === "success") return decision === "allowed" ? "allowed" : "success";
  return outcome;
}

export function EntryStatus({ entry }: { readonly entry: Judged }) {
  const state = statusOf(entry);
  return <Status state={state}>{state === "failure" ? "failed" : undefined}</Status>;
}
