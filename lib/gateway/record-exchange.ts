import type { EntryDraft } from "@/lib/audit/entry";
import { AppError, toAppError } from "@/lib/core/errors";
import { draftOf } from "@/lib/gateway/entry-drafts";
import type { GatewayDeps } from "@/lib/gateway/gateway-deps";
import type { Identity } from "@/lib/gateway/identity";
import type { ToolCall } from "@/lib/gateway/tool-call";
import type { Json } from "@/lib/mcp/upstream/protocol";

/** The call in whose middle a server asked something. */
export type AskingCall = Pick<ToolCall, "ref" | "entrance"> & { readonly callId: string; readonly identity: Identity };
export type Question = { readonly method: string; readonly params: Json };

/** The client's answer, once it is in the trail together with the question. What cannot be recorded is not handed on. */
export async function recordedAnswer(
  gateway: Pick<GatewayDeps, "append">,
  call: AskingCall,
  question: Question,
  answering: Promise<Json>,
): Promise<Json> {
  const heard = await answering.then(
    (answer) => ({ answer, error: null }),
    (cause: unknown) => ({ answer: null, error: toAppError(cause) }),
  );
  try {
    await gateway.append(exchangeDraft(call, question, heard));
  } catch (cause) {
    const text = "What the client answered is withheld from the server because the audit trail could not record it.";
    throw new AppError("audit_unavailable", text, { retryAfterMs: 1_000 }, cause);
  }
  if (heard.error !== null) throw heard.error;
  return heard.answer;
}

type Heard = { readonly answer: Json; readonly error: null } | { readonly answer: null; readonly error: AppError };

function exchangeDraft(call: AskingCall, question: Question, { answer, error }: Heard): EntryDraft {
  const { ref, identity, entrance, callId } = call;
  return {
    ...draftOf(identity, entrance),
    phase: "auth",
    eventType: "question.answered",
    callId,
    ...(ref.server === "" ? {} : { server: ref.server }),
    tool: ref.tool,
    target: question.method.slice(0, 80),
    ...(error === null ? { outcome: "success" } : { outcome: "failure", reasonCode: "no_answer" }),
    payload: { question, ...(error === null ? { answer } : { error: { message: error.message } }) },
  };
}
