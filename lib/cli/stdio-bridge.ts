import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { eachMessage, type OnMessage, parsed, textFor, unanswered } from "@/lib/cli/bridge-messages";
import { type MirroredArguments, mirrorArguments } from "@/lib/cli/mirrored-arguments";
import { followSession } from "@/lib/cli/session-stream";
import { headerValue } from "@/lib/mcp/upstream/param-headers";
import { isRecord, type Json, META } from "@/lib/mcp/upstream/protocol";

export type BridgeOptions = {
  readonly url: string;
  readonly key: string;
  readonly input: Readable;
  readonly output: Writable;
};

/** A request without an answer, and the wire it went over. */
type InFlight = { readonly left: AbortController; readonly isStateless: boolean };

const MEDIA = { "content-type": "application/json", accept: "application/json, text/event-stream" };
const LEAVE_MS = 5_000;

/** Carries the messages of a client that speaks over standard streams to the door, and the door's back, until the input ends. */
export async function bridge({ url, key, input, output }: BridgeOptions): Promise<void> {
  const inFlight = new Map<unknown, InFlight>();
  const working = new Set<Promise<void>>();
  const standing = new AbortController();
  let hearing = new AbortController();
  let [session, version]: [string | null, string | null] = [null, null];
  // What stands in several lines is one message, and one line here.
  const write = (text: string) => void output.write(`${text.replace(/[\r\n]+/g, " ")}\n`);
  const writeNotice: OnMessage = ({ method }, text) => method !== undefined && write(text);

  const headersOf = (message: Json): Record<string, string> => ({
    authorization: `Bearer ${key}`,
    ...MEDIA,
    ...(session === null ? {} : { "mcp-session-id": session }),
    ...protocolHeaders(message, version),
    ...mirrored.headersOf(message),
  });
  const post = (message: Json, signal: AbortSignal) =>
    fetch(url, { method: "POST", headers: headersOf(message), body: JSON.stringify(message), signal });
  const mirrored: MirroredArguments = mirrorArguments(async (message) => (await post(message, standing.signal)).text());

  /** Posts a message, and once more where its headers had to say more than we knew. */
  async function posted(message: Json, signal: AbortSignal): Promise<Response> {
    const answer = await post(message, signal);
    if (answer.status !== 400) return answer;
    const text = await answer.text();
    return (await mirrored.learn(message, text)) ? post(message, signal) : new Response(text, answer);
  }

  async function exchange(message: Json, signal: AbortSignal, onMessage: OnMessage): Promise<string> {
    const answer = await posted(message, signal);
    if (message["method"] === "initialize" && answer.ok) session = answer.headers.get("mcp-session-id");
    await eachMessage(answer, onMessage);
    if (message["method"] === "notifications/initialized" && session !== null) listen();
    return `The door gave no answer to this request (HTTP status ${answer.status}).`;
  }

  async function carry(message: Json): Promise<void> {
    const { id, method } = message;
    const left = new AbortController();
    const isRequest = id !== undefined && method !== undefined;
    let isAnswered = !isRequest;
    const take = (received: Json, text: string) => {
      const isAnswer = received["method"] === undefined;
      const told = isAnswer && isAnswered ? null : textFor(id, received, text);
      if (told === null) return;
      if (isAnswer) isAnswered = true;
      if (method === "initialize") version = negotiated(received) ?? version;
      write(told);
    };
    const mine = { left, isStateless: META.protocolVersion in metaOf(message) };
    if (isRequest) inFlight.set(id, mine);
    const why = await exchange(message, left.signal, take).catch(unreachable);
    if (!isAnswered && !left.signal.aborted) write(unanswered(id, why));
    if (inFlight.get(id) === mine) inFlight.delete(id);
  }

  function listen(): void {
    // A client that begins a new session hears of the old one no more.
    hearing.abort();
    hearing = new AbortController();
    const asked = { headers: { ...headersOf(NOTHING), accept: "text/event-stream" }, signal: hearing.signal };
    void followSession(() => fetch(url, asked), writeNotice, hearing.signal);
  }

  for await (const line of createInterface({ input })) {
    const message = parsed(line);
    if (message === null) continue;
    if (message["method"] === "notifications/cancelled") cancelStateless(message, inFlight);
    const work = carry(message).finally(() => working.delete(work));
    working.add(work);
    // The session is known with the answer; nothing may go ahead of it.
    if (message["method"] === "initialize") await work;
  }
  await Promise.all(working);
  standing.abort();
  hearing.abort();
  if (session !== null) await leave(url, headersOf(NOTHING));
}

/** Tells the door that this client is done; a door that cannot be told forgets the session by itself. */
async function leave(url: string, headers: Record<string, string>): Promise<void> {
  await fetch(url, { method: "DELETE", headers, signal: AbortSignal.timeout(LEAVE_MS) }).catch(() => undefined);
}

const unreachable = (cause: unknown): string =>
  `The door could not be reached: ${cause instanceof Error ? cause.message : String(cause)}`;

/** On the stateless wire nobody can be told to cancel: leaving is the word for it. */
function cancelStateless({ params }: Json, inFlight: ReadonlyMap<unknown, InFlight>): void {
  const request = isRecord(params) ? inFlight.get(params["requestId"]) : undefined;
  // Notifications of that revision need no `_meta`: what they are about tells the wire.
  if (request?.isStateless) request.left.abort();
}

const NOTHING: Json = {};

function metaOf({ params }: Json): Json {
  const meta = isRecord(params) ? params["_meta"] : NOTHING;
  return isRecord(meta) ? meta : NOTHING;
}

/** Headers repeat what the body of a stateless message says. */
function protocolHeaders(message: Json, version: string | null): Record<string, string> {
  const { method, params } = message;
  const given = isRecord(params) ? params : NOTHING;
  const claimed = metaOf(message)[META.protocolVersion];
  if (typeof claimed !== "string") return version === null ? {} : { "mcp-protocol-version": version };
  const name = method === "resources/read" ? given["uri"] : given["name"];
  return {
    "mcp-protocol-version": claimed,
    "mcp-method": String(method),
    ...(typeof name === "string" ? { "mcp-name": headerValue(name) } : {}),
  };
}

function negotiated({ result }: Json): string | null {
  const version = isRecord(result) ? result["protocolVersion"] : null;
  return typeof version === "string" ? version : null;
}
