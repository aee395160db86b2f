import { AppError, toAppError } from "@/lib/core/errors";
import { logger } from "@/lib/core/logger";
import type { Identity } from "@/lib/gateway/identity";
import { errorText, jsonAnswer } from "@/lib/mcp/door/answers";
import type { DoorAnswer, DoorRequest, ParsedMessage } from "@/lib/mcp/door/door-request";
import { type EnvelopeFault, invalidRequest, type RpcId, requestIdOf, wantsNoAnswer } from "@/lib/mcp/door/envelope";
import { takesStreams } from "@/lib/mcp/door/guards";
import { type Waiting, waitCancellable } from "@/lib/mcp/door/in-flight";
import { JointAnswer } from "@/lib/mcp/door/joint-answer";
import { prefersStreams } from "@/lib/mcp/door/preferred-shape";
import { STREAM_AFTER_MS, STREAM_HEADERS } from "@/lib/mcp/door/progress-stream";
import { checkSession, hasBatches } from "@/lib/mcp/door/session-ids";
import { isRecord, UNSTATED_VERSION } from "@/lib/mcp/upstream/protocol";

const MAX_MESSAGES = 50;
/** Requests of one batch that are served at the same time. */
const AT_ONCE = 8;
/** Of a client that takes no streams: when so much waits for the rest, no more is begun. */
const MAX_KEPT_BYTES = 8 * 1024 * 1024;

/** Several messages in one request, of somebody we know. */
export type Batch = {
  readonly request: DoorRequest;
  readonly messages: readonly unknown[];
  readonly identity: Identity;
  readonly requestId: string;
};

/** Answers one message as if it had been posted alone. Never throws. */
type Serve = (request: DoorRequest) => Promise<DoorAnswer>;

/**
 * Answers a batch, which revision 2025-03-26 alone has: each message takes the road of its own. Rejects with a fault
 * where none of them may.
 */
export async function answerBatch(batch: Batch, serve: Serve): Promise<DoorAnswer> {
  const fault = await faultOf(batch);
  if (fault !== null) return Promise.reject<DoorAnswer>(fault);
  const { request, messages, requestId } = batch;
  if (!messages.some(isRequest)) return takeAll(batch, serve);
  const accept = request.header("accept");
  const joint = new JointAnswer(takesStreams(accept));
  const work = serveAll(batch, joint, serve);
  const isStream = prefersStreams(accept) || (await speaksFirst(joint, work, takesStreams(accept)));
  if (!isStream) return jsonAnswer(200, joint.toText(), { requestId });
  const { headers } = jsonAnswer(200, "", { requestId });
  return { status: 200, headers: { ...headers, ...STREAM_HEADERS }, body: (to) => joint.tell(to, work) };
}

async function faultOf({ request, messages, identity }: Batch): Promise<EnvelopeFault | null> {
  if (request.carried !== undefined) return invalidRequest("No batches are taken here: send each message by itself.");
  const stated = request.header("mcp-protocol-version") ?? UNSTATED_VERSION;
  const session = request.header("mcp-session-id");
  await checkSession(identity, session);
  if (stated !== UNSTATED_VERSION || (session !== null && !hasBatches(session))) {
    const whose = stated === UNSTATED_VERSION ? "this session agreed on another one" : `not of ${stated.slice(0, 40)}`;
    const text = `Batches are taken of revision ${UNSTATED_VERSION} only, ${whose}: send one message per request.`;
    return invalidRequest(text, null, { supported: [UNSTATED_VERSION] });
  }
  if (messages.length > 0 && messages.length <= MAX_MESSAGES) return null;
  const rule = `must hold 1 to ${MAX_MESSAGES} messages`;
  return invalidRequest(`A batch ${rule}.`, null, { issues: [{ path: "", rule }] });
}

const isRequest = (message: unknown): boolean => requestIdOf(message) !== null;

/** A batch that asks for nothing: accepted, or refused as the first of its messages was that could not be. */
async function takeAll(batch: Batch, serve: Serve): Promise<DoorAnswer> {
  const { messages, requestId } = batch;
  const joint = new JointAnswer(false);
  const answers = await Promise.all(messages.map((message) => serve(partOf(batch, message, null))));
  await Promise.all(answers.map((answer, place) => joint.take(place, answer)));
  const refused = answers.find(({ body }) => body !== null);
  if (refused === undefined) return { status: 202, headers: { "x-request-id": requestId }, body: null };
  return jsonAnswer(refused.status, joint.toText(), { requestId });
}

/** Whether something has to be told before all is answered. */
async function speaksFirst(joint: JointAnswer, work: Promise<void>, isWelcome: boolean): Promise<boolean> {
  const timer = isWelcome ? setTimeout(joint.speak, STREAM_AFTER_MS) : undefined;
  const isStream = await Promise.race([work.then(() => false), joint.spoke.then(() => true)]);
  clearTimeout(timer);
  return isStream;
}

/** Serves all messages: those that want no answer first, because one may take back a request beside it. */
async function serveAll(batch: Batch, joint: JointAnswer, serve: Serve): Promise<void> {
  const { request, identity, messages } = batch;
  const repeated = repeatedIds(messages);
  const session = request.header("mcp-session-id");
  const waiting = messages.map((message) => {
    const id = requestIdOf(message);
    return id === null || repeated.has(id) ? null : waitCancellable({ identity, session }, id);
  });
  const isCrowded = () => !takesStreams(request.header("accept")) && joint.keptBytes > MAX_KEPT_BYTES;
  try {
    await Promise.all(messages.filter(wantsNoAnswer).map((message) => serve(partOf(batch, message, null))));
    await inTurns(messages, async (message, place) => {
      if (wantsNoAnswer(message) || request.signal.aborted) return;
      const refused = refusalOf(message, { repeated, waiting: waiting[place] ?? null, isCrowded: isCrowded() });
      await take(batch, joint, place, await serve(partOf(batch, message, refused)));
      waiting[place]?.end();
    });
  } finally {
    for (const each of waiting) each?.end();
  }
}

/** Runs for every item, for a few of them at the same time. */
async function inTurns<T>(items: readonly T[], run: (item: T, place: number) => Promise<void>): Promise<void> {
  // All take from the same one.
  const rest = items.entries();
  const work = async () => {
    for (const [place, item] of rest) await run(item, place);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

function repeatedIds(messages: readonly unknown[]): ReadonlySet<RpcId> {
  const [seen, repeated] = [new Set<RpcId>(), new Set<RpcId>()];
  for (const message of messages) {
    const id = requestIdOf(message);
    if (id !== null) (seen.has(id) ? repeated : seen).add(id);
  }
  return repeated;
}

type Turn = {
  readonly repeated: ReadonlySet<RpcId>;
  readonly waiting: Waiting | null;
  readonly isCrowded: boolean;
};

/** Why a message may not be served, now that its turn has come. */
function refusalOf(message: unknown, { repeated, waiting, isCrowded }: Turn): ParsedMessage["refused"] {
  const id = requestIdOf(message);
  if (isRecord(message) && message["method"] === "initialize")
    return invalidRequest(
      "initialize must not be part of a batch: send it alone, and the rest once it is answered.",
      id,
    );
  if (id !== null && repeated.has(id))
    return invalidRequest("Several requests of the batch have this id. None of them was served.", id);
  if (waiting?.isCancelled())
    return new AppError("cancelled", "The request was cancelled before its turn in the batch came.");
  if (!isCrowded) return null;
  const text = "The batch's other answers are too large to wait for this one. Nothing was called: send it again.";
  return new AppError("overloaded", text);
}

/** An answer that breaks off is an error of its own request: the others go on. */
async function take(
  { messages, requestId }: Batch,
  joint: JointAnswer,
  place: number,
  answer: DoorAnswer,
): Promise<void> {
  try {
    await joint.take(place, answer);
  } catch (cause) {
    logger.error({ err: cause, requestId }, "a request of a batch could not be answered");
    const text = errorText(requestIdOf(messages[place]), toAppError(cause), { requestId, entry: null });
    await joint.take(place, jsonAnswer(200, text, { requestId }));
  }
}

/** A message of the batch as a request of its own, under the batch's request id. */
function partOf({ request, requestId }: Batch, value: unknown, refused: ParsedMessage["refused"]): DoorRequest {
  const takes = takesStreams(request.header("accept"));
  // Which shape the client likes best is a matter of the whole.
  const own: Readonly<Record<string, string>> = {
    accept: takes ? "application/json, text/event-stream" : "application/json",
    "x-request-id": requestId,
  };
  return {
    ...request,
    header: (name) => own[name] ?? request.header(name),
    message: {
      // A batch in a batch is no message.
      value: Array.isArray(value) ? null : value,
      id: requestIdOf(value),
      bytes: Buffer.byteLength(JSON.stringify(value)),
      refused,
    },
  };
}
