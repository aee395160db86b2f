import type { EntryDraft } from "@/lib/audit/entry";
import { trail } from "@/lib/audit/trail";
import { newId } from "@/lib/core/ids";

/** Drafts under way at a time: some full batches, and on a slow machine still far from the wait at which the trail refuses. */
const WINDOW = 2_400;
const ARGUMENTS = { message: "hello, how are you?" };
const RESULT = { content: [{ type: "text", text: JSON.stringify(ARGUMENTS) }], resultType: "complete" };

/** Intent and outcome of one call, with the fields that a call of the benchmark leaves. */
function entriesOfCall(tenantId: string, actor: EntryDraft["actor"]): readonly EntryDraft[] {
  const common: Omit<EntryDraft, "phase" | "eventType" | "outcome"> = {
    tenantId,
    actor,
    callId: newId(),
    requestId: newId(),
    decision: "allowed",
    server: "echo",
    serverId: actor.id,
    tool: "echo",
    permission: "echo:read",
    ruleId: "map:echo/echo=echo:read",
    policyVersion: 1,
    authMethod: "agent_key",
    credentialId: actor.id,
    door: "joint",
    era: "modern",
    clientName: "bench",
    ip: "127.0.0.1",
    circuitState: "closed",
    bytesIn: 330,
  };
  return [
    {
      ...common,
      phase: "intent",
      eventType: "tool_call.started",
      outcome: "pending",
      payload: { arguments: ARGUMENTS },
    },
    {
      ...common,
      phase: "outcome",
      eventType: "tool_call.finished",
      outcome: "success",
      latencyMs: 1.5,
      upstreamMs: 0.7,
      bytesOut: 130,
      payload: { result: RESULT },
    },
  ];
}

/**
 * Fills a tenant's trail with the entries of `count / 2` calls, by the trail's own road: sealed, chained, in its batches,
 * each committed. So the tables, the indexes and the chain are what that many calls would have left.
 */
export async function seedEntries(tenantId: string, count: number): Promise<void> {
  const id = newId();
  const actor = { type: "agent", id, name: "seeded" } as const;
  const { append } = trail();
  for (let done = 0; done < count; done += WINDOW) {
    const calls = Math.ceil(Math.min(WINDOW, count - done) / 2);
    const drafts = Array.from({ length: calls }, () => entriesOfCall(tenantId, actor)).flat();
    await Promise.all(drafts.map(append));
  }
}
