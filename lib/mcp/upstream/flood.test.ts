import { monitorEventLoopDelay } from "node:perf_hooks";
import { afterEach, describe, expect, it } from "vitest";
import { isAppError } from "@/lib/core/errors";
import { openUpstream } from "@/lib/mcp/upstream/open-upstream";
import { makeUpstreamPolicy } from "@/lib/mcp/upstream/policy";
import type { Upstream } from "@/lib/mcp/upstream/protocol";
import { startDeadline } from "@/lib/resilience/deadline";
import { type FloodTransport, startFlood } from "@/lib/testing/flood-upstream";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const note = (method: string, params: object) => JSON.stringify({ jsonrpc: "2.0", method, params });
const LINES = {
  "what is no JSON": "{hello",
  "words that are no message": "hello",
  "answers to nobody": '{"jsonrpc":"2.0","id":987654,"result":{}}',
  "empty objects": "{}",
  "what it logs": note("notifications/message", { level: "info", data: "x" }),
  "pings that have to be answered": '{"jsonrpc":"2.0","id":"p","method":"ping"}',
  progress: note("notifications/progress", { progressToken: 987654, progress: 1 }),
} as const;
const TRANSPORTS = ["stdio", "http", "sse", "websocket"] as const satisfies readonly FloodTransport[];

/**
 * The longest that anybody else would have to wait: 3 to 26 ms here; up to 900 before floods were read in turns and counted.
 * A busy machine can stand still by itself, hence the second try.
 */
const LONGEST_STANDSTILL_MS = 150;
/** After the call failed, its server may still be talking. */
const AFTERWARDS_MS = 300;

async function call(upstream: Upstream): Promise<string> {
  const deadline = startDeadline(10_000);
  try {
    await upstream.request({ method: "tools/call", params: { name: "any" }, deadline });
    return "ok";
  } catch (cause) {
    return isAppError(cause) ? cause.code : String(cause);
  } finally {
    deadline.release();
  }
}

describe.each(TRANSPORTS)("a server over %s that pours out", (transport) => {
  it.each(Object.entries(LINES))(
    "%s fails its own call, and holds up nobody else",
    { retry: 1 },
    async (_what, line) => {
      const flood = await startFlood(transport, line);
      closers.push(flood.close);
      const policy = makeUpstreamPolicy({ allowLoopback: true });
      const upstream = openUpstream(flood.endpoint, { deadlineMs: 10_000, policy });
      closers.push(() => upstream.close());
      const greeting = startDeadline(10_000);
      await upstream.greet(greeting);
      greeting.release();
      const delay = monitorEventLoopDelay({ resolution: 2 });
      delay.enable();
      expect(await call(upstream)).toBe("upstream_protocol");
      await new Promise((resolve) => setTimeout(resolve, AFTERWARDS_MS));
      delay.disable();
      expect(delay.max / 1e6).toBeLessThan(LONGEST_STANDSTILL_MS);
    },
  );
});
