import type { Socket } from "node:net";
import type { buildConnector } from "undici";

/** Connections that are open before a call needs one. */
export type WarmSockets = {
  /** What the pool connects with: hands out an open connection where there is one. */
  readonly connect: buildConnector.connector;
  /** Opens so many, in the background. One that fails is not tried again: the next call will say what is wrong. */
  readonly open: (count: number) => void;
  readonly figures: () => { readonly idle: number; readonly created: number; readonly handedOut: number };
  readonly close: () => void;
};

const EVENTS = ["data", "end", "error", "close"] as const;

/**
 * Keeps connections to one address, each until it is needed or the server closes it. `isWanted` says whether any request
 * waits for a connection: the pool connects anew after each request that was given up, although nobody is left to be served.
 */
export function makeWarmSockets(connect: buildConnector.connector, url: URL, isWanted: () => boolean): WarmSockets {
  const idle = new Map<Socket, () => void>();
  let [created, handedOut, opening] = [0, 0, 0];
  let closed = false;
  const options: buildConnector.Options = {
    hostname: url.hostname.replace(/^\[|\]$/g, ""),
    host: url.host,
    protocol: url.protocol,
    port: url.port,
  };

  function keep(socket: Socket): void {
    if (closed) return void socket.destroy();
    const drop = () => {
      idle.delete(socket);
      socket.destroy();
    };
    idle.set(socket, drop);
    // Unread, the end of a connection would go unnoticed; whatever a server says unasked disqualifies it as well.
    for (const event of EVENTS) socket.once(event, drop);
  }

  function take(): Socket | null {
    for (const [socket, drop] of idle) {
      idle.delete(socket);
      for (const event of EVENTS) socket.off(event, drop);
      socket.pause();
      if (!socket.destroyed && socket.writable) return socket;
    }
    return null;
  }

  return {
    connect(wanted, callback) {
      // Later, as from any connector: the pool does not take an answer while it is still asking.
      process.nextTick(() => {
        if (!isWanted()) return callback(new Error("nobody waits for this connection"), null);
        handedOut += 1;
        const ready = take();
        if (ready !== null) return callback(null, ready);
        connect(wanted, (...[error, socket]) => {
          if (socket === null) return callback(error ?? new Error("no socket"), null);
          created += 1;
          callback(null, socket);
        });
      });
    },
    open(count) {
      for (let missing = count - idle.size - opening; missing > 0 && !closed; missing -= 1) {
        opening += 1;
        connect(options, (...[, socket]) => {
          opening -= 1;
          if (socket === null) return;
          created += 1;
          keep(socket);
        });
      }
    },
    figures: () => ({ idle: idle.size, created, handedOut }),
    close() {
      closed = true;
      for (const socket of idle.keys()) socket.destroy();
      idle.clear();
    },
  };
}
