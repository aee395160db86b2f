import { afterEach, expect, it, vi } from "vitest";
import { openUpstream } from "@/lib/mcp/upstream/open-upstream";
import { makeUpstreamPolicy } from "@/lib/mcp/upstream/policy";
import type { Upstream } from "@/lib/mcp/upstream/protocol";
import { startDeadline } from "@/lib/resilience/deadline";
import { startFakeUpstream } from "@/lib/testing/fake-upstream";
import { startSocketUpstream } from "@/lib/testing/websocket-upstream";

vi.setConfig({ testTimeout: 30_000 });

const policy = makeUpstreamPolicy({ allowLoopback: true });
const open: { close: () => Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()));
});

const trace = {
  traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
  spanId: "00f067aa0ba902b7",
  flags: 1,
  state: "rojo=1",
};
const TOLD = { traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", tracestate: "rojo=1" };

async function call(upstream: Upstream, traced: boolean): Promise<void> {
  const deadline = startDeadline(20_000);
  const params = { name: "echo", arguments: {} };
  await upstream.request({ method: "tools/call", params, deadline, ...(traced ? { trace } : {}) });
  deadline.release();
}

it("a server without headers is told in `_meta`, and others nothing", async () => {
  const metas: unknown[] = [];
  const hello = { protocolVersion: "2025-11-25", capabilities: {}, serverInfo: { name: "raw", version: "1" } };
  const server = await startSocketUpstream({
    serve: (socket) =>
      socket.on("message", (data) => {
        const { id, method, params } = JSON.parse(String(data)) as {
          id?: number;
          method: string;
          params?: { _meta?: unknown };
        };
        if (method === "tools/call") metas.push(params?._meta);
        const result = method === "initialize" ? hello : { content: [] };
        if (id !== undefined) socket.send(JSON.stringify({ jsonrpc: "2.0", id, result }));
      }),
  });
  const upstream = openUpstream({ transport: "websocket", url: server.url }, { deadlineMs: 20_000, policy });
  open.push(upstream, server);
  await call(upstream, true);
  await call(upstream, false);
  expect(metas).toEqual([TOLD, undefined]);
});

it.each(["modern", "legacy"] as const)("a server of the %s wire over HTTP is told both ways", async (era) => {
  const server = await startFakeUpstream({ era });
  const upstream = openUpstream({ transport: "http", url: server.url }, { deadlineMs: 20_000, policy });
  open.push(upstream, server);
  await call(upstream, true);
  await call(upstream, false);
  const [traced, plain] = server.requests.filter(({ method }) => method === "tools/call");
  expect(traced?.headers).toMatchObject(TOLD);
  expect(traced?.meta).toMatchObject(TOLD);
  expect(plain?.headers["traceparent"]).toBeUndefined();
  expect(JSON.stringify(plain?.meta ?? {})).not.toContain("traceparent");
});

it("a credential that calls itself a trace does not stand beside the call's own", async () => {
  const server = await startFakeUpstream({ era: "modern" });
  const credential = { traceparent: "credential", "x-api-key": "k" };
  const endpoint = { transport: "http", url: server.url } as const;
  const upstream = openUpstream(endpoint, { credential, deadlineMs: 20_000, policy });
  open.push(upstream, server);
  await call(upstream, true);
  const traced = server.requests.find(({ method }) => method === "tools/call");
  expect(traced?.headers).toMatchObject({ traceparent: TOLD.traceparent, "x-api-key": "k" });
});
