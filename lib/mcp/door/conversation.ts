import { newId } from "@/lib/core/ids";
import { Caller, type Leaving } from "@/lib/core/leaving";
import type { ClientSide } from "@/lib/gateway/client-side";
import { recordedAnswer } from "@/lib/gateway/record-exchange";
import type { Outcome, ToolCall } from "@/lib/gateway/tool-call";
import { refusalHeaders } from "@/lib/mcp/door/answers";
import type { CallAnswer } from "@/lib/mcp/door/call-answer";
import type { DoorAnswer } from "@/lib/mcp/door/door-request";
import { askClient } from "@/lib/mcp/door/pending-asks";
import { answerWithStream, progressMessage } from "@/lib/mcp/door/progress-stream";
import { openState, sealState } from "@/lib/mcp/door/request-state";
import { logLevelOf } from "@/lib/mcp/door/session-notes";
import {
  isLogLevel,
  isLoudEnough,
  NO_CAPABILITIES,
  sessionCapabilities,
  usableCapabilities,
} from "@/lib/mcp/door/sessions";
import type { Visit } from "@/lib/mcp/door/visit";
import { type Dialogue, type Json, META } from "@/lib/mcp/upstream/protocol";

/** Whose messages belong together: a session id says nothing without the key. */
export const ownerOf = ({ identity, session }: Pick<Visit, "identity" | "session">): string =>
  JSON.stringify([identity.credentialId ?? identity.actor.id, session]);

/** In the sessions era a client is asked on the stream of its call, and one that takes none cannot be. */
function capabilitiesIn({ envelope, session, takesStreams }: Visit): Json {
  if (envelope.era === "modern") return usableCapabilities(envelope.meta[META.clientCapabilities]);
  return takesStreams ? sessionCapabilities(session) : NO_CAPABILITIES;
}

function levelIn(visit: Visit): string | undefined {
  const { envelope, session, takesStreams } = visit;
  if (!takesStreams) return undefined;
  if (envelope.era === "legacy") return session === null ? undefined : logLevelOf(ownerOf(visit));
  const level = envelope.meta[META.logLevel];
  return isLogLevel(level) ? level : undefined;
}

/** True where a server may tell or ask the client something while it answers, or the client brings what was asked for. */
export function isConversation(visit: Visit): boolean {
  const { params } = visit.envelope;
  return (
    capabilitiesIn(visit) !== NO_CAPABILITIES ||
    levelIn(visit) !== undefined ||
    "inputResponses" in params ||
    "requestState" in params
  );
}

type Call = Omit<ToolCall, "client" | "onProgress">;

/** Runs a call whose client can be told and asked things; it becomes a stream with the first of them. */
export async function answerConversation(
  visit: Visit,
  call: Call,
  execute: (call: ToolCall) => Promise<Outcome>,
  toAnswer: (outcome: Outcome) => CallAnswer,
): Promise<DoorAnswer> {
  const { envelope, entrance } = visit;
  const brought = broughtBy(visit, call);
  const token = envelope.meta["progressToken"];
  const headers = {
    "content-type": "application/json",
    "cache-control": "no-store",
    "x-request-id": entrance.requestId,
  };
  return answerWithStream({ headers, isWelcome: visit.takesStreams }, async (send) => {
    const tellsProgress = typeof token === "string" || typeof token === "number";
    const outcome = await whileOpen(visit, (over) =>
      execute({
        ...call,
        client: { ...clientSide(visit, call, send, over), ...brought },
        ...(tellsProgress ? { onProgress: (progress) => send(progressMessage(token, progress)) } : {}),
      }),
    );
    const { status, text, error } = toAnswer(sealed(visit, call, outcome));
    return { status, text, headers: error === null ? {} : refusalHeaders(error) };
  });
}

/** Runs a call; what its client is still asked is over when the call is, or when the client leaves. */
async function whileOpen<T>({ signal }: Visit, run: (over: Leaving) => Promise<T>): Promise<T> {
  const over = new Caller();
  const end = () => over.leave();
  if (signal.aborted) end();
  signal.addEventListener("abort", end, { once: true });
  try {
    return await run(over);
  } finally {
    signal.removeEventListener("abort", end);
    end();
  }
}

type Send = (message: Json) => void;

function clientSide(visit: Visit, { ref }: Call, send: Send, over: Leaving): Omit<ClientSide, "retry"> {
  const capabilities = capabilitiesIn(visit);
  const logLevel = levelIn(visit);
  const modern = visit.envelope.era === "modern";
  const canBeAsked = !modern && capabilities !== NO_CAPABILITIES;
  const callId = newId();
  const { gateway, identity, entrance } = visit;
  const ask: Dialogue["onRequest"] = (method, params) => {
    const answering = askClient(ownerOf(visit), send, over, method, params);
    return recordedAnswer(gateway, { callId, ref, identity, entrance }, { method, params }, answering);
  };
  return {
    callId,
    capabilities,
    takesInputRequests: modern,
    dialogue: {
      logLevel,
      onLog: (params) => {
        if (logLevel !== undefined && isLoudEnough(params["level"], logLevel))
          send({ method: "notifications/message", params });
      },
      onRequest: canBeAsked ? ask : undefined,
    },
  };
}

/** What the client brings along when it comes back; its state must be one that we gave to it, for this. */
function broughtBy(visit: Visit, call: Call): Pick<ClientSide, "retry" | "spend"> {
  const { inputResponses, requestState } = visit.envelope.params;
  if (visit.envelope.era === "legacy") return { retry: null };
  if (inputResponses === undefined && requestState === undefined) return { retry: null };
  const opened = requestState === undefined ? undefined : openState(visit.identity, call, requestState);
  const retry = {
    ...(inputResponses === undefined ? {} : { inputResponses }),
    ...(opened === undefined ? {} : { requestState: opened.state }),
  };
  return { retry, spend: opened?.spend };
}

/** The server's state leaves only in our seal. */
function sealed(visit: Visit, call: Call, outcome: Outcome): Outcome {
  if (!outcome.ok || typeof outcome.result["requestState"] !== "string") return outcome;
  const requestState = sealState(visit.identity, call, outcome.result["requestState"]);
  return { ...outcome, result: { ...outcome.result, requestState } };
}
