import type { AppError } from "@/lib/core/errors";
import type { Leaving } from "@/lib/core/leaving";
import type { EnvelopeFault } from "@/lib/mcp/door/envelope";

/**
 * A request at the door, free of any server's types: both mounts (in front of Next, and inside it) make one,
 * and making a web `Request` where none is given costs more than the whole policy.
 */
export type DoorRequest = {
  readonly method: string;
  /** Path without the query: a key in a query string is never looked at. */
  readonly path: string;
  readonly header: (name: string) => string | null;
  /** Stops reading beyond `maxBytes` and throws `payload_too_large`. */
  readonly body: (maxBytes: number) => Promise<Uint8Array>;
  /** Aborted when the client leaves. */
  readonly signal: Leaving;
  readonly peerAddress: string | null;
  /** Set where one connection carries many messages, as a WebSocket does. */
  readonly carried?: Carried;
  /** The message where it was parsed already. */
  readonly message?: ParsedMessage;
};

/** The connection that a message came over. */
export type Carried = {
  /** Tells this connection from others; what it holds open is counted by it. */
  readonly connection: string;
  /** The door as the trail names it. */
  readonly door: string;
};

/** A message that was parsed before it came to the door's own guards. */
export type ParsedMessage = {
  readonly value: unknown;
  /** Of a request: its answer finds it by nothing else, also where it is refused before it is read. */
  readonly id: string | number | null;
  readonly bytes: number;
  /** Why it may not be served now: an error, or a fault of the message with a code of its own. */
  readonly refused: AppError | EnvelopeFault | null;
};

/**
 * What may wait to be sent to a client that does not read; one that lets more wait is cut off. Above what a single answer may
 * be, so that only a stream of them can get there.
 */
export const MAX_UNREAD_BYTES = 32 * 1024 * 1024;

/** Text as it is sent: as a string, or where it is large and came as bytes, in pieces of UTF-8. */
export type Text = string | readonly Uint8Array<ArrayBuffer>[];

/** Writes one chunk of a stream. */
export type Write = (chunk: string | Uint8Array<ArrayBuffer>) => void;

export type DoorAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** A whole body, none, or a stream that is written until the promise ends. */
  readonly body: Text | null | ((write: Write) => Promise<void>);
};
