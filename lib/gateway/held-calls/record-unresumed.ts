import type { EntryDraft } from "@/lib/audit/entry";
import { CutSide } from "@/lib/audit/payload";
import { logger } from "@/lib/core/logger";
import type { Grant } from "@/lib/gateway/authorize";
import { type Draft, draftOf } from "@/lib/gateway/entry-drafts";
import type { GatewayDeps } from "@/lib/gateway/gateway-deps";
import type { Unresumed } from "@/lib/gateway/held-calls/held-call";
import type { Entrance } from "@/lib/gateway/tool-call";

/**
 * Says in the trail what became of a call that its server asked something in, and for which the client never came back. Its
 * outcome is there already: that it was answered with a question.
 */
export function recordUnresumed(
  gateway: Pick<GatewayDeps, "append">,
  { identity, server, ref, tool }: Grant,
  entrance: Entrance,
  how: Unresumed,
): void {
  const draft = draftOf(identity, entrance);
  Object.assign(draft, fateOf(how));
  draft.phase = "system";
  draft.eventType = "tool_call.not_resumed";
  if (how.callId !== undefined) draft.callId = how.callId;
  draft.latencyMs = Math.round(how.heldMs);
  draft.server = ref.server;
  draft.serverId = server.id;
  draft.tool = ref.tool;
  draft.toolDefinitionSha256 = tool.sha256;
  gateway.append(draft as EntryDraft).catch((cause: unknown) => {
    logger.error({ err: cause, callId: how.callId }, "what became of a held call could not be recorded");
  });
}

type Fate = Required<Pick<Draft, "outcome" | "reasonCode" | "reason" | "payload">>;

function fateOf({ cause, end }: Unresumed): Fate {
  if ("answer" in end) {
    const { result, large } = end.answer;
    return {
      outcome: result["isError"] === true ? "failure" : "success",
      reasonCode: "answer_not_fetched",
      reason: "The server went on without the client, which did not come back for the answer.",
      payload: { result: large === undefined ? result : new CutSide(large.digest) },
    };
  }
  const { code, message } = end.error;
  const payload = { error: { code, message } };
  if (cause === "timeout") {
    const reason = "The client did not come back with what it was asked for, and the server's call was ended.";
    return { outcome: "failure", reasonCode: "client_never_returned", reason, payload };
  }
  if (cause === "killed") {
    const reason = "A kill switch ended the server's call while its client was away.";
    return { outcome: "failure", reasonCode: "killed", reason, payload };
  }
  return { outcome: "failure", reasonCode: code, reason: message, payload };
}
