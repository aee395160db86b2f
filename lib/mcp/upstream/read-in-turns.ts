import type { Socket } from "node:net";
import type { buildConnector } from "undici";

/** After so much from one connection everybody else has a turn: a flood must not keep the loop of this process busy. */
const BYTES_AT_ONCE = 64 * 1_024;

/**
 * Makes a socket rest for one turn of the loop, now and then, whoever reads it and by whatever means. The socket itself
 * reads later. Pausing a parser instead would be fatal: undici's does not bear that a server ends or resets a connection
 * meanwhile, and throws where nobody can catch it.
 */
export function readInTurns(socket: Socket): void {
  const { _read: read, push } = socket;
  let [seen, isResting] = [socket.bytesRead, false];
  const isEnough = () => socket.bytesRead - seen >= BYTES_AT_ONCE;
  // Only a stream that seems to be full stops the platform, which would read 32 times in a row otherwise.
  socket.push = (chunk, encoding) => push.call(socket, chunk, encoding) && !isEnough();
  socket._read = (size) => {
    if (!isEnough()) return read.call(socket, size);
    if (isResting) return;
    isResting = true;
    setImmediate(() => {
      [seen, isResting] = [socket.bytesRead, false];
      if (!socket.destroyed) read.call(socket, size);
    });
  };
}

/** A connector whose sockets read in turns. */
export const inTurns =
  (connect: buildConnector.connector): buildConnector.connector =>
  (options, callback) =>
    connect(options, (...[error, socket]) => {
      if (socket === null) return callback(error ?? new Error("no socket"), null);
      readInTurns(socket);
      callback(null, socket);
    });
