import type { AddressInfo } from "node:net";
import { createServer, type Server, type Socket } from "node:net";
import { afterEach, expect, it } from "vitest";
import { isAppError } from "@/lib/core/errors";
import { openUpstream } from "@/lib/mcp/upstream/open-upstream";
import { makeUpstreamPolicy } from "@/lib/mcp/upstream/policy";
import type { Upstream } from "@/lib/mcp/upstream/protocol";
import { startDeadline } from "@/lib/resilience/deadline";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const GREETING = '"result":{"supportedVersions":["2026-07-28"],"capabilities":{}}}';

/** Greets, and answers tool calls only when told to. */
async function startSilent() {
  const sockets = new Set<Socket>();
  let [connections, asked, isSilent] = [0, 0, true];
  const server: Server = createServer((socket) => {
    connections += 1;
    sockets.add(socket.on("error", () => undefined).on("close", () => sockets.delete(socket)));
    socket.on("data", (chunk) => {
      const id = /"id":(\d+)/.exec(String(chunk))?.[1];
      if (String(chunk).includes("tools/call")) asked += 1;
      if (isSilent && !String(chunk).includes("server/discover")) return;
      const body = `{"jsonrpc":"2.0","id":${id},${GREETING}`;
      socket.write(
        `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return {
    url,
    open: () => sockets.size,
    opened: () => connections,
    asked: () => asked,
    speak: () => (isSilent = false),
  };
}

async function until(holds: () => boolean): Promise<void> {
  for (const end = Date.now() + 20_000; Date.now() < end && !holds(); ) await new Promise((go) => setTimeout(go, 20));
}

async function call(upstream: Upstream, signal?: AbortSignal): Promise<string> {
  const deadline = startDeadline(30_000, signal);
  try {
    await upstream.request({ method: "tools/call", params: {}, deadline });
    return "ok";
  } catch (cause) {
    return isAppError(cause) ? cause.code : String(cause);
  } finally {
    deadline.release();
  }
}

it("a call that is given up closes its connection, and nobody opens another in its place", async () => {
  const server = await startSilent();
  const policy = makeUpstreamPolicy({ allowLoopback: true });
  const upstream = openUpstream({ transport: "http", url: server.url }, { deadlineMs: 20_000, policy });
  closers.push(() => upstream.close());
  const caller = new AbortController();
  const calls = Array.from({ length: 10 }, () => call(upstream, caller.signal));
  await until(() => server.asked() === 10);
  // One more may idle, over which they agreed on a version.
  const before = server.opened();
  expect(before).toBeLessThanOrEqual(11);
  caller.abort();
  expect(await Promise.all(calls)).toEqual(Array.from({ length: 10 }, () => "cancelled"));
  await until(() => server.open() <= before - 10);
  // A needless connection would be there at once, and stay for seconds.
  await new Promise((go) => setTimeout(go, 300));
  expect(server.opened()).toBe(before);
  expect(server.open()).toBeLessThanOrEqual(before - 10);
  server.speak();
  expect(await call(upstream)).toBe("ok");
}, 60_000);
