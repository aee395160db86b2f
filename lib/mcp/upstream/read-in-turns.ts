import type { buildConnector } from "undici";

/** After so much from one connection everybody else has a turn: a flood must not keep the loop of this process busy. */
const BYTES_AT_ONCE = 64 * 1_024;

/**
 * A connector whose sockets rest for one turn of the loop, now and then. The socket itself reads later. Pausing the parser
 * instead would be fatal: it does not bear that a server ends or resets a connection meanwhile, and throws where nobody
 * can catch it.
 */
export function readInTurns(connect: buildConnector.connector): buildConnector.connector {
  return (options, callback) =>
    connect(options, (...[error, socket]) => {
      if (socket === null) return callback(error ?? new Error("no socket"), null);
      const read = socket._read;
      let seen = 0;
      socket._read = (size) => {
        if (socket.bytesRead - seen < BYTES_AT_ONCE) return read.call(socket, size);
        setImmediate(() => {
          seen = socket.bytesRead;
          if (!socket.destroyed) read.call(socket, size);
        });
      };
      callback(null, socket);
    });
}
