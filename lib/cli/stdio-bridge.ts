import type { Readable, Writable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { eachMessage, messagesOf, textFor, unanswered } from "@/lib/cli/bridge-messages";
import { type DoorClientOptions, isStateless, makeDoorClient } from "@/lib/cli/door-client";
import { followSession } from "@/lib/cli/session-stream";
import { isRecord, type Json } from "@/lib/mcp/upstream/protocol";

export type BridgeOptions = DoorClientOptions & { readonly input: Readable; readonly output: Writable };

/** A message that the door is busy with, and the wire it went over. */
type InFlight = { readonly id: unknown; readonly left: AbortController; readonly isStateless: boolean };

/** What is due by then is still written when the input has ended. Clients that wait for us to go wait about two seconds. */
const LAST_ANSWERS_MS = 1_000;

/** Carries the messages of a client that speaks over standard streams to the door, and the door's back, until the input ends. */
export async function bridge({ input, output, ...options }: BridgeOptions): Promise<void> {
  const inFlight = new Set<InFlight>();
  const working = new Set<Promise<void>>();
  const door = makeDoorClient(options);
  let hearing = new AbortController();
  let greeted = Promise.resolve();
  let isOver = false;
  // What stands in several lines is one message, and one line here.
  const write = (text: string) => void output.write(`${text.replace(/[\r\n]+/g, " ")}\n`);

  // Whoever reads us no more has left, as if it had closed our input.
  output.on("error", () => input.destroy());

  async function carry(message: Json): Promise<void> {
    if (isOver) return;
    const { id, method } = message;
    if (method === "notifications/cancelled") cancelStateless(message, inFlight);
    const isRequest = id !== undefined && method !== undefined;
    let isAnswered = !isRequest;
    const take = (received: Json, text: string) => {
      const isAnswer = received["method"] === undefined;
      const told = isAnswer && isAnswered ? null : textFor(id, received, text);
      if (told === null) return;
      if (isAnswer) isAnswered = true;
      if (method === "initialize") door.agree(received);
      write(told);
    };
    const mine = { id, left: new AbortController(), isStateless: isStateless(message) };
    const { signal } = mine.left;
    inFlight.add(mine);
    const exchange = async () => {
      const answer = await door.post(message, signal);
      await eachMessage(answer, take);
      return `The door gave no answer to this request (HTTP status ${answer.status}).`;
    };
    const why = await exchange().catch(unreachable);
    if (!isAnswered && !signal.aborted) write(unanswered(id, why));
    inFlight.delete(mine);
    if (method === "notifications/initialized" && door.hasSession() && !isOver) listen();
  }

  function listen(): void {
    // A client that begins a new session hears of the old one no more.
    hearing.abort();
    hearing = new AbortController();
    const tell = ({ method }: Json, text: string) => method !== undefined && write(text);
    void followSession(door.opener(hearing.signal), tell, hearing.signal);
  }

  for await (const message of messagesOf(input)) {
    // The session is known with the answer to `initialize`; nothing may go ahead of it.
    const work = greeted.then(() => carry(message)).finally(() => working.delete(work));
    working.add(work);
    if (message["method"] === "initialize") greeted = work;
  }
  // Who closes the input has left: no stream, and no answer that takes long, is waited for.
  await Promise.race([Promise.all(working), pause(LAST_ANSWERS_MS, undefined, { ref: false })]);
  isOver = true;
  for (const { left } of inFlight) left.abort();
  await Promise.all(working);
  hearing.abort();
  await door.leave();
}

/** Texts of the platform may quote the key or the address: only codes (ECONNREFUSED …) are passed on. */
function unreachable(cause: unknown): string {
  const reason = cause instanceof Error && isRecord(cause.cause) ? cause.cause["code"] : undefined;
  return `The door could not be reached${typeof reason === "string" ? ` (${reason})` : ""}.`;
}

/** On the stateless wire nobody can be told to cancel: leaving is the word for it. */
function cancelStateless({ params }: Json, inFlight: ReadonlySet<InFlight>): void {
  const { requestId } = isRecord(params) ? params : {};
  if (requestId === undefined) return;
  // Notifications of that revision need no `_meta`: what they are about tells the wire.
  for (const { id, left, isStateless } of inFlight) if (id === requestId && isStateless) left.abort();
}
