import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { isAppError } from "@/lib/core/errors";
import { openUpstream } from "@/lib/mcp/upstream/open-upstream";
import { makeUpstreamPolicy } from "@/lib/mcp/upstream/policy";
import type { Upstream } from "@/lib/mcp/upstream/protocol";
import { readInTurns } from "@/lib/mcp/upstream/read-in-turns";
import { startDeadline } from "@/lib/resilience/deadline";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const GREETING = '"result":{"supportedVersions":["2026-07-28"],"capabilities":{}}}';
/** What one read takes at most, and what is sent before: together more than may be read without a rest. */
const [READ_AT_ONCE, BEFORE] = [64 * 1_024, 80 * 1_024];

/** A process of its own, so that its last part and the end lie ready together while we are busy. */
async function startFlood(end: "end" | "resetAndDestroy"): Promise<string> {
  const program = `
    const before = Buffer.alloc(${BEFORE}, ": still here\\n\\n");
    before.write("HTTP/1.1 200 OK\\r\\ncontent-type: text/event-stream\\r\\n\\r\\n");
    const leave = (socket) => {
      socket.write(Buffer.alloc(${READ_AT_ONCE}, ": still here\\n\\n"));
      socket.${end}();
    };
    const server = require("node:net").createServer((socket) => {
      socket.on("error", () => undefined).on("data", (chunk) => {
        const id = /"id":(\\d+)/.exec(String(chunk))?.[1];
        if (!String(chunk).includes("server/discover")) {
          socket.write(before);
          return setTimeout(leave, 50, socket);
        }
        const body = '{"jsonrpc":"2.0","id":' + id + ${JSON.stringify(`,${GREETING}`)};
        socket.write("HTTP/1.1 200 OK\\r\\ncontent-type: application/json\\r\\ncontent-length: " + body.length + "\\r\\n\\r\\n" + body);
      });
    }).listen(0, "127.0.0.1", () => console.log(server.address().port));`;
  const child = spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "inherit"] });
  closers.push(() => child.kill("SIGKILL"));
  const [port] = await once(child.stdout, "data");
  return `http://127.0.0.1:${Number(String(port))}/`;
}

async function call(upstream: Upstream): Promise<string> {
  const deadline = startDeadline(30_000);
  try {
    await upstream.request({ method: "tools/call", params: {}, deadline });
    return "ok";
  } catch (cause) {
    return isAppError(cause) ? cause.code : String(cause);
  } finally {
    deadline.release();
  }
}

/** Keeps the loop busy between its turns, so that everything that is sent waits for us. */
async function whileBusy<T>(work: Promise<T>): Promise<T> {
  let isOver = false;
  const over = work.finally(() => {
    isOver = true;
  });
  while (!isOver) {
    for (const until = performance.now() + 5; performance.now() < until; );
    await new Promise((resolve) => setImmediate(resolve));
  }
  return over;
}

describe("a server that leaves in the middle of a flood", () => {
  it.each(["end", "resetAndDestroy"] as const)(
    "by %s fails its own call alone",
    async (end) => {
      const url = await startFlood(end);
      const policy = makeUpstreamPolicy({ allowLoopback: true });
      const upstream = openUpstream({ transport: "http", url }, { deadlineMs: 20_000, policy });
      closers.push(() => upstream.close());
      const codes = new Set<string>();
      // What nobody can catch would end the process; here the runner tells of it.
      for (let turn = 0; turn < 10; turn += 1) codes.add(await whileBusy(call(upstream)));
      expect([...codes]).toEqual(["upstream_protocol"]);
    },
    60_000,
  );
});

const WHOLE = 4 * 1_024 * 1_024;
/** What one read takes, and the one that is under way when it is enough. */
const MOST_AT_ONCE = 2 * READ_AT_ONCE;

/** The most that a socket hands out in one turn of the loop, of much that waits for it. */
async function mostInATurn(socket: Socket, read: (take: (bytes: number) => void) => void): Promise<number> {
  let [total, inTurn, most] = [0, 0, 0];
  read((bytes) => {
    if (inTurn === 0) setImmediate(() => (inTurn = 0));
    inTurn += bytes;
    total += bytes;
    most = Math.max(most, inTurn);
  });
  await whileBusy(once(socket, "close"));
  expect(total).toBe(WHOLE);
  return most;
}

const flowing = (socket: Socket) => (take: (bytes: number) => void) =>
  void socket.on("data", (chunk) => take(chunk.length));
const onDemand = (socket: Socket) => (take: (bytes: number) => void) =>
  void socket.on("readable", () => {
    for (let chunk = socket.read(); chunk !== null; chunk = socket.read()) take(chunk.length);
  });

describe("a socket that reads in turns", () => {
  const program = `require("node:net").createServer((socket) => socket.end(Buffer.alloc(${WHOLE})))
    .listen(0, "127.0.0.1", function () { console.log(this.address().port); });`;

  async function startPourer(): Promise<Socket> {
    const child = spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "inherit"] });
    closers.push(() => child.kill("SIGKILL"));
    const [port] = await once(child.stdout, "data");
    return connect(Number(String(port)), "127.0.0.1");
  }

  it.each([
    ["as it comes", flowing],
    ["on demand", onDemand],
  ])("hands out everything, and little of it at once, whether it is read %s", async (_how, reader) => {
    const socket = await startPourer();
    readInTurns(socket);
    expect(await mostInATurn(socket, reader(socket))).toBeLessThanOrEqual(MOST_AT_ONCE);
  });

  it("would hand out much at once without", async () => {
    const socket = await startPourer();
    expect(await mostInATurn(socket, flowing(socket))).toBeGreaterThan(MOST_AT_ONCE);
  });

  it("does so for what a program prints", async () => {
    const child = spawn(process.execPath, ["-e", `process.stdout.write(Buffer.alloc(${WHOLE}))`]);
    closers.push(() => child.kill("SIGKILL"));
    const pipe = child.stdout as unknown as Socket;
    readInTurns(pipe);
    expect(await mostInATurn(pipe, flowing(pipe))).toBeLessThanOrEqual(MOST_AT_ONCE);
  });
});
