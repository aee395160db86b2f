import type { WebSocket } from "ws";
import { type DoorAnswer, MAX_UNREAD_BYTES } from "@/lib/mcp/door/door-request";
import { makeSseReader } from "@/lib/mcp/upstream/sse-reader";

/** Codes of RFC 6455 that this door closes with. */
export const CLOSE = { goingAway: 1001, policy: 1008, internal: 1011 } as const;

/** What leaves a socket. */
export type Outbox = {
  /**
   * Hands on each message of an answer, whether it is one or a stream of them. Once the signal says that it is unwanted, only
   * notices: that a question is off has to be told, above all then.
   */
  readonly deliver: (answer: DoorAnswer, unwanted: AbortSignal) => Promise<void>;
  readonly close: (code: number, reason: string) => void;
  /** False once it was closed, from either side. */
  readonly isOpen: () => boolean;
  readonly lookAlive: () => void;
};

/** How each message of ours begins that is neither an answer nor a question (`eventOf`). Large ones are answers. */
const NOTICE_START = '{"jsonrpc":"2.0","method":';
const isNotice = (text: string | Uint8Array): boolean => typeof text === "string" && text.startsWith(NOTICE_START);

/** Sends what the door answers as messages of its own, within bounds. */
export function makeOutbox(socket: WebSocket): Outbox {
  let [alive, closed] = [true, false];
  const encoder = new TextEncoder();
  const isOpen = () => !closed && socket.readyState === socket.OPEN;

  function isTooSlow(): boolean {
    if (socket.bufferedAmount <= MAX_UNREAD_BYTES) return false;
    socket.terminate();
    return true;
  }

  socket.on("pong", () => {
    alive = true;
  });
  // Each is answered with a pong, which waits in the same buffer.
  socket.on("ping", () => void isTooSlow());

  return {
    isOpen,
    async deliver({ body }, unwanted) {
      const send = (text: string | Uint8Array) => {
        if (isOpen() && (!unwanted.aborted || isNotice(text)) && !isTooSlow()) socket.send(text, { binary: false });
      };
      if (body === null) return;
      if (typeof body !== "function") return send(typeof body === "string" ? body : Buffer.concat(body));
      const { read } = makeSseReader({ onEvent: send, onLargeEvent: send });
      await body((chunk) => read(typeof chunk === "string" ? encoder.encode(chunk) : chunk));
    },
    close(code, reason) {
      if (!isOpen()) return;
      closed = true;
      socket.close(code, reason);
    },
    lookAlive() {
      if (!alive) return socket.terminate();
      alive = false;
      if (isOpen()) socket.ping();
    },
  };
}
