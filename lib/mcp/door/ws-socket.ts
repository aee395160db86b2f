import { randomUUID } from "node:crypto";
import type { RawData, WebSocket } from "ws";
import { AppError } from "@/lib/core/errors";
import { logger } from "@/lib/core/logger";
import { getGateway } from "@/lib/gateway/compose";
import type { Identity } from "@/lib/gateway/identity";
import { answerDoor } from "@/lib/mcp/door/door";
import type { DoorAnswer, DoorRequest } from "@/lib/mcp/door/door-request";
import { type RpcId, requestIdOf, wantsNoAnswer } from "@/lib/mcp/door/envelope";
import { cancelCall } from "@/lib/mcp/door/in-flight";
import { cancelledBy, type Frame, headersOf, isMethod, readFrame } from "@/lib/mcp/door/ws-frame";
import { CLOSE, makeOutbox, type Outbox } from "@/lib/mcp/door/ws-outbox";
import { isRecord } from "@/lib/mcp/upstream/protocol";

/** Requests of one socket at the same time; more are refused. */
const MAX_CALLS = 256;
/** Frames of one socket that are being answered; above this it is not read. */
const MAX_PENDING = 512;
/** Until the stream of a session is opened again; longer each time where it is refused. */
const REOPEN_AFTER_MS = { first: 1_000, most: 60_000 };

export type SocketOptions = {
  readonly socket: WebSocket;
  /** The handshake: its headers hold for every message. */
  readonly handshake: Pick<DoorRequest, "header" | "peerAddress">;
  /** The address of the same door over HTTP. */
  readonly path: string;
  readonly door: string;
  readonly identity: Identity;
};

/** Serves every message of a socket as a POST at the door would be: same guards, same road, same refusals. */
export class DoorSocket {
  readonly identity: Identity;
  /** The headers of the handshake. */
  readonly header: DoorRequest["header"];
  readonly #options: SocketOptions;
  readonly #outbox: Outbox;
  readonly #connection = randomUUID();
  readonly #left = new AbortController();
  readonly #calls = new Map<RpcId, AbortController>();
  #session: string = randomUUID();
  #version: string | null = null;
  #pending = 0;
  #draining = false;
  #hearing = false;

  constructor(options: SocketOptions) {
    const { socket, identity, handshake, door } = options;
    this.#options = options;
    this.identity = identity;
    this.header = handshake.header;
    this.#outbox = makeOutbox(socket);
    socket.on("message", (data: RawData, isBinary: boolean) => this.#take(readFrame(bytesOf(data), !isBinary)));
    // Frames that break the protocol: the library closes with the code that says how (1002, 1007, 1009).
    socket.on("error", (cause) => logger.debug({ err: cause, door }, "a socket broke"));
    socket.on("close", () => this.#leave());
  }

  close(code: number, reason: string): void {
    this.#outbox.close(code, reason);
  }

  /** Executes nothing new, answers what is in flight, then closes with 1001. */
  drain(): void {
    this.#draining = true;
    if (this.#pending === 0) this.close(CLOSE.goingAway, "the server is stopping");
  }

  /** Ends a socket whose client was silent since the last look, and asks the others to answer. */
  lookAlive(): void {
    this.#outbox.lookAlive();
  }

  end(): void {
    this.#options.socket.terminate();
  }

  #take(frame: Frame): void {
    // What comes after the close was sent is not executed, so that an unanswered request had no effect.
    if (!this.#outbox.isOpen() || (this.#draining && requestIdOf(frame.value) !== null)) return;
    this.#pending += 1;
    if (this.#pending >= MAX_PENDING) this.#options.socket.pause();
    const cancelled = cancelledBy(frame);
    if (cancelled !== null) this.#calls.get(cancelled)?.abort();
    this.#answer(frame)
      .catch((cause: unknown) => this.#fail(cause))
      .finally(() => this.#settle());
    if (isMethod(frame, "notifications/initialized") && this.#version !== null) {
      this.#hear().catch((cause: unknown) => this.#fail(cause));
    }
  }

  async #answer(frame: Frame): Promise<void> {
    const id = requestIdOf(frame.value);
    const refused = id === null ? null : refusalOf(this.#calls, id);
    const call = new AbortController();
    if (id !== null && refused === null) this.#calls.set(id, call);
    try {
      const given = await answerDoor(getGateway(), this.#request(frame, call.signal, refused));
      if (isMethod(frame, "initialize")) this.#noteSession(given);
      // Who took a request back, or left, wants no answer.
      if (!wantsNoAnswer(frame.value)) await this.#outbox.deliver(given, call.signal);
      if (given.status === 401) this.#closeRefused();
    } finally {
      if (id !== null && this.#calls.get(id) === call) this.#calls.delete(id);
    }
  }

  #request(frame: Frame, signal: AbortSignal, refused: AppError | null): DoorRequest {
    const { handshake, path, door } = this.#options;
    const message = { value: frame.value, id: requestIdOf(frame.value), bytes: frame.bytes.length, refused };
    return {
      method: "POST",
      path,
      header: headersOf(frame, { header: handshake.header, session: this.#session, version: this.#version }),
      body: () => Promise.resolve(frame.bytes),
      signal,
      peerAddress: handshake.peerAddress,
      carried: { connection: this.#connection, door },
      ...(frame.value === undefined ? {} : { message }),
    };
  }

  #noteSession({ headers: { "mcp-session-id": given }, body }: DoorAnswer): void {
    if (given === undefined || typeof body !== "string") return;
    this.#session = given;
    const { result } = JSON.parse(body) as { result?: unknown };
    if (isRecord(result) && typeof result["protocolVersion"] === "string") this.#version = result["protocolVersion"];
  }

  /** What clients of the sessions era hear on the stream behind GET comes over the socket itself. */
  async #hear(): Promise<void> {
    if (this.#hearing) return;
    this.#hearing = true;
    const isWanted = () => this.#outbox.isOpen() && !this.#draining;
    let wait = REOPEN_AFTER_MS.first;
    while (isWanted()) {
      const opening = this.#request(NO_MESSAGE, this.#left.signal, null);
      const header = (name: string) => (name === "accept" ? "text/event-stream" : opening.header(name));
      const given = await answerDoor(getGateway(), { ...opening, method: "GET", header });
      if (given.status === 401) return this.#closeRefused();
      const isStream = typeof given.body === "function";
      if (isStream) await this.#outbox.deliver(given, this.#left.signal);
      wait = isStream ? REOPEN_AFTER_MS.first : Math.min(wait * 2, REOPEN_AFTER_MS.most);
      if (isWanted()) await pause(wait, this.#left.signal);
    }
  }

  #settle(): void {
    const { socket } = this.#options;
    this.#pending -= 1;
    if (this.#pending < MAX_PENDING && socket.isPaused) socket.resume();
    if (this.#draining) this.drain();
  }

  #closeRefused(): void {
    this.close(CLOSE.policy, "the key is no longer good");
  }

  #fail(cause: unknown): void {
    logger.error({ err: cause }, "a socket's message could not be answered");
    this.close(CLOSE.internal, "the server failed");
  }

  #leave(): void {
    this.#left.abort();
    const { actor, credentialId } = this.identity;
    for (const [id, call] of this.#calls) {
      cancelCall(credentialId ?? actor.id, this.#session, id);
      call.abort();
    }
  }
}

const NO_MESSAGE: Frame = { bytes: new Uint8Array(), isText: true, value: undefined };

/** Why a request may not be served now. */
function refusalOf(calls: ReadonlyMap<RpcId, unknown>, id: RpcId): AppError | null {
  if (calls.has(id)) return new AppError("invalid_input", "A request with this id is still being answered.");
  if (calls.size < MAX_CALLS) return null;
  return new AppError("overloaded", `No more than ${MAX_CALLS} requests may be open on one socket.`);
}

function bytesOf(data: RawData): Uint8Array {
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? new Uint8Array(data) : data;
}

const pause = (ms: number, left: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (left.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      left.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    timer.unref();
    left.addEventListener("abort", done, { once: true });
  });
