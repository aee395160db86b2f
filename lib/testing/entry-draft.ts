import type { EntryDraft } from "@/lib/audit/entry";
import { newId } from "@/lib/core/ids";

/** The outcome of a call, as the road would record it. */
export const entryDraft = (tenantId: string, over: Partial<EntryDraft> = {}): EntryDraft => ({
  tenantId,
  callId: newId(),
  phase: "outcome",
  eventType: "tool_call.finished",
  outcome: "success",
  decision: "allowed",
  actor: { type: "agent", id: newId(), name: "triage-bot" },
  server: "files",
  tool: "read_file",
  latencyMs: 12.5,
  requestId: newId(),
  payload: { arguments: { path: "/tmp/a" }, result: { text: "secret text" } },
  ...over,
});
