import type { Socket } from "node:net";
import { gzipSync } from "node:zlib";

/** What a faulty server is sent back with: the request it answers, and how long its caller waits at most. */
export type FaultScript = (socket: Socket, id: number, deadlineMs: number) => void | Promise<void>;

const MEGABYTE = Buffer.alloc(1024 * 1024, 0x20);
const JSON_HEAD = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
const CHUNKED_JSON = `${JSON_HEAD}transfer-encoding: chunked\r\n\r\n`;
const EVENTS = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const isOpen = (socket: Socket): boolean => !socket.destroyed && socket.writable;

/** Answers with nothing wrong about them but their size, all of nine megabytes. */
const NINE_MB = 9 * 1024 * 1024;
const LARGE = {
  text: () => JSON.stringify([{ type: "text", text: "x".repeat(NINE_MB) }]),
  escapes: () => JSON.stringify([{ type: "text", text: '\n"é\u0001'.repeat(NINE_MB / 11) }]),
  items: () => JSON.stringify(Array.from({ length: 250_000 }, (_, at) => ({ type: "text", text: `row ${at}` }))),
  values: () => `[${"{},".repeat(NINE_MB / 3)}{}]`,
} as const;
const made = new Map<keyof typeof LARGE, Buffer>();

/** A whole answer; its content is made once. */
function largeAnswer(id: number, kind: keyof typeof LARGE): Buffer {
  const content = made.get(kind) ?? Buffer.from(LARGE[kind]());
  made.set(kind, content);
  const start = `{"jsonrpc":"2.0","id":${id},"result":{"resultType":"complete","content":`;
  return Buffer.concat([Buffer.from(start), content, Buffer.from("}}")]);
}

const resultOf = (id: number): string =>
  JSON.stringify({ jsonrpc: "2.0", id, result: { content: [{ type: "text", text: "{}" }], resultType: "complete" } });

const answer = (socket: Socket, body: string | Buffer, head = JSON_HEAD): void => {
  socket.write(`${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n`);
  socket.write(body);
};

const drained = (socket: Socket) =>
  new Promise<void>((resolve) => {
    const done = () => {
      socket.off("drain", done).off("close", done);
      resolve();
    };
    socket.on("drain", done).on("close", done);
  });

/** Writes the same again and again, as fast as it is taken, until the other side leaves or so many bytes are out. */
async function pour(socket: Socket, piece: string | Buffer, bytes = Number.POSITIVE_INFINITY): Promise<void> {
  const block = Buffer.from(piece);
  for (let sent = 0; sent < bytes && isOpen(socket); sent += block.length) {
    if (socket.write(block)) await new Promise<void>((resolve) => setImmediate(resolve));
    else await drained(socket);
  }
}

async function drip(socket: Socket, head: string, drop: string): Promise<void> {
  socket.write(head);
  while (isOpen(socket)) {
    socket.write(drop);
    await pause(20);
  }
}

/** One HTTP chunk of a megabyte. */
const BIG_CHUNK = Buffer.concat([Buffer.from("100000\r\n"), MEGABYTE, Buffer.from("\r\n")]);
/** As many chunks of one byte as fit into what is read at once. */
const CRUMBS = "1\r\n \r\n".repeat(10_000);
const PROGRESS =
  'data: {"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":0,"progress":1}}\n\n';
const HUNDRED_MB = 100 * 1024 * 1024;
const BOMB = gzipSync(Buffer.alloc(HUNDRED_MB, 0x20), { level: 1 });

/** What each server does with a request once it is told to misbehave. */
export const FAULT_SCRIPTS = {
  reset: (socket) => void socket.resetAndDestroy(),
  "status-500": (socket) => void socket.write("HTTP/1.1 500 Oops\r\ncontent-length: 4\r\n\r\noops"),
  "status-429": (socket) => void socket.write("HTTP/1.1 429 Later\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n"),
  drip: (socket) => drip(socket, CHUNKED_JSON, "1\r\n \r\n"),
  "drip-headers": (socket) => drip(socket, JSON_HEAD, "x: "),
  "headers-then-silence": (socket) => void socket.write(CHUNKED_JSON),
  garbage: (socket) => void socket.write("\u0000\u0001 this is not HTTP \r\n\r\n".repeat(50)),
  "garbage-body": (socket) => answer(socket, "<html>not what you asked for</html>"),
  "wrong-id": (socket) => answer(socket, resultOf(987_654_321)),
  "truncated-json": (socket, id) => answer(socket, resultOf(id).slice(0, -9)),
  "hundred-megabytes": async (socket) => {
    socket.write(CHUNKED_JSON);
    await pour(socket, BIG_CHUNK, HUNDRED_MB);
    socket.end("0\r\n\r\n");
  },
  "hundred-megabytes-announced": async (socket) => {
    socket.write(`${JSON_HEAD}content-length: ${HUNDRED_MB}\r\n\r\n`);
    await pour(socket, MEGABYTE, HUNDRED_MB);
  },
  "gzip-bomb": (socket) => answer(socket, BOMB, `${JSON_HEAD}content-encoding: gzip\r\n`),
  crumbs: async (socket) => {
    socket.write(CHUNKED_JSON);
    await pour(socket, CRUMBS);
  },
  "endless-headers": async (socket) => {
    socket.write(JSON_HEAD);
    await pour(socket, `x-more: ${"y".repeat(1_000)}\r\n`);
  },
  "endless-hints": (socket) => pour(socket, "HTTP/1.1 103 Early Hints\r\nlink: </>\r\n\r\n".repeat(200)),
  "endless-stream": async (socket) => {
    socket.write(EVENTS);
    await pour(socket, ": still here\n\n".repeat(500));
  },
  "endless-events": async (socket) => {
    socket.write(EVENTS);
    await pour(socket, PROGRESS.repeat(100));
  },
  "endless-line": async (socket) => {
    socket.write(`${EVENTS}data: `);
    // Small pieces: what it costs to look for the end of the line must not grow with its length.
    await pour(socket, "x".repeat(1_024));
  },
  "cut-mid-stream": async (socket) => {
    socket.write(`${EVENTS}${PROGRESS}data: {"jsonrpc"`);
    await pause(20);
    socket.destroy();
  },
  "cut-mid-json": async (socket, id) => {
    socket.write(`${JSON_HEAD}content-length: 500\r\n\r\n${resultOf(id).slice(0, 30)}`);
    await pause(20);
    socket.resetAndDestroy();
  },
  "slow-200": async (socket, id, deadlineMs) => {
    await pause(deadlineMs * 0.4);
    answer(socket, resultOf(id));
  },
  "late-200": async (socket, id, deadlineMs) => {
    await pause(deadlineMs * 1.5);
    answer(socket, resultOf(id));
  },
  "large-text": (socket, id) => answer(socket, largeAnswer(id, "text")),
  "large-escapes": (socket, id) => answer(socket, largeAnswer(id, "escapes")),
  "large-items": (socket, id) => answer(socket, largeAnswer(id, "items")),
  "large-event": (socket, id) => {
    socket.write(`${EVENTS}data: `);
    socket.write(largeAnswer(id, "text"));
    socket.end("\n\n");
  },
  "three-million-values": (socket, id) => answer(socket, largeAnswer(id, "values")),
  // The handshake fails before there is any request: these two are never asked.
  "tls-untrusted": (socket, id) => answer(socket, resultOf(id)),
  "tls-plain": (socket) => void socket.write("HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n"),
} as const satisfies Record<string, FaultScript>;

export type ScriptedFault = keyof typeof FAULT_SCRIPTS;
