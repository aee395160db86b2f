import { afterEach, describe, expect, it, vi } from "vitest";
import { isAppError } from "@/lib/core/errors";
import { voteOf } from "@/lib/mcp/upstream/faults";
import { openUpstream } from "@/lib/mcp/upstream/open-upstream";
import { makeUpstreamPolicy } from "@/lib/mcp/upstream/policy";
import { probeUpstream } from "@/lib/mcp/upstream/probe-upstream";
import type { Json, Upstream, UpstreamRequest } from "@/lib/mcp/upstream/protocol";
import { startDeadline } from "@/lib/resilience/deadline";
import { startEverythingOverSse, startRawSse } from "@/lib/testing/sse-upstream";

vi.setConfig({ testTimeout: 60_000 });

const policy = makeUpstreamPolicy({ allowLoopback: true });
const PATIENCE = { timeout: 20_000, interval: 20 };
const open: { close: () => Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()));
});

async function start(options: Parameters<typeof startRawSse>[0] = {}) {
  const server = await startRawSse(options);
  open.push(server);
  return server;
}

function connect(url: string, credential?: Record<string, string>): Upstream {
  const upstream = openUpstream({ transport: "sse", url }, { deadlineMs: 20_000, policy, credential });
  open.push(upstream);
  return upstream;
}

async function call(
  upstream: Upstream,
  name: string,
  args: Json = {},
  { ms = 20_000, ...rest }: { ms?: number } & Pick<Partial<UpstreamRequest>, "onProgress"> = {},
) {
  const deadline = startDeadline(ms);
  try {
    const params = { name, arguments: args };
    return (await upstream.request({ method: "tools/call", params, deadline, ...rest })).result;
  } finally {
    deadline.release();
  }
}

const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "ok",
    (cause: unknown) => (isAppError(cause) ? `${cause.code} ${voteOf(cause)}` : String(cause)),
  );

const answerTo = (id: unknown) => JSON.stringify({ jsonrpc: "2.0", id, result: { content: [] } });

describe("a server over SSE", () => {
  it("of npm is probed and called, side by side over one stream", async () => {
    const server = await startEverythingOverSse();
    open.push(server);
    const probe = await probeUpstream({ transport: "sse", url: server.url }, undefined, { policy });
    expect(probe).toMatchObject({ ok: true, era: "legacy" });
    expect(probe.tools.map(({ name }) => name)).toContain("echo");
    const upstream = connect(server.url);
    const words = Array.from({ length: 20 }, (_, each) => `word ${each}`);
    const said = await Promise.all(words.map((message) => call(upstream, "echo", { message })));
    for (const [each, result] of said.entries()) expect(JSON.stringify(result)).toContain(`Echo: word ${each}"`);
    expect(upstream.connections?.()).toMatchObject({ open: 1, created: 1 });
  });

  it("gets the credential with the stream and with each message, and messages in their order", async () => {
    const server = await start({
      onMessage: ({ id }, say) => id !== undefined && say(answerTo(id)),
      delayOf: ({ method }) => (method === "notifications/initialized" ? 200 : 0),
    });
    await call(connect(server.url, { Authorization: "Bearer s3cret", "Content-Type": "text/plain" }), "any");
    expect(server.posted.map(({ message }) => message.method)).toEqual([
      "initialize",
      "notifications/initialized",
      "tools/call",
    ]);
    for (const { headers } of server.posted) {
      expect(headers).toMatchObject({ authorization: "Bearer s3cret", "content-type": "application/json" });
    }
  });

  it.each(["http://127.0.0.1:9/messages", "//evil.example/messages", "http://user:pw@HERE/messages", "javascript:1"])(
    "that names %s to write to is refused, and nothing is written anywhere",
    async (endpoint) => {
      const server = await start();
      server.setGreeting(`event: endpoint\ndata: ${endpoint.replace("HERE", new URL(server.url).host)}\n\n`);
      expect(await codeOf(call(connect(server.url), "any"))).toBe("upstream_protocol failure");
      expect(server.posted).toEqual([]);
    },
  );

  it("may name a whole address of its own", async () => {
    const server = await start({ onMessage: ({ id }, say) => id !== undefined && say(answerTo(id)) });
    server.setGreeting(`event: endpoint\ndata: ${new URL("/elsewhere?a=1", server.url).href}\n\n`);
    expect(await codeOf(call(connect(server.url), "any"))).toBe("ok");
  });
});

describe("a server over SSE that misbehaves", () => {
  it.each([
    ["garbage", "upstream_protocol failure"],
    ["cut", "upstream_unreachable failure"],
    ["reset", "upstream_unreachable failure"],
    ["huge", "upstream_protocol failure"],
    ["comments", "upstream_protocol failure"],
    ["404", "upstream_unreachable failure"],
    ["500", "upstream_error failure"],
    ["401", "upstream_error abstain"],
    ["302", "upstream_protocol failure"],
    ["strangers", "ok"],
  ])("by %s ends the call with %s, and serves the next one", async (how, code) => {
    const server = await start({
      statusOf: ({ params }) => (params?.name === how && /^\d+$/.test(how) ? Number(how) : 202),
      onMessage: ({ id, params }, say, stream) => {
        const does: Record<string, () => void> = {
          good: () => say(answerTo(id)),
          garbage: () => say("{ not json"),
          cut: () => stream.end(),
          reset: () => stream.destroy(),
          huge: () => {
            stream.write("data: ");
            for (let each = 0; each < 11; each += 1) stream.write("x".repeat(1 << 20));
          },
          comments: () => {
            for (let each = 0; each < 12; each += 1) stream.write(`${`:${"x".repeat(1022)}\n`.repeat(1024)}`);
          },
          strangers: () => {
            for (const wrong of [999_999, "abc", null, {}]) say(answerTo(wrong));
            stream.write("event: other\ndata: {}\n\n: a comment\n\n");
            say(answerTo(id));
          },
        };
        does[params?.name ?? ""]?.();
      },
    });
    const upstream = connect(server.url);
    expect(await codeOf(call(upstream, how))).toBe(code);
    expect(await codeOf(call(upstream, "good"))).toBe("ok");
  });

  it("by silence runs into the deadline", async () => {
    const server = await start();
    const upstream = connect(server.url);
    expect(await codeOf(call(upstream, "any", {}, { ms: 200 }))).toBe("upstream_timeout failure");
    const cancelled = () => server.posted.some(({ message }) => message.method === "notifications/cancelled");
    await expect.poll(cancelled, PATIENCE).toBe(true);
  });

  it.each([
    [401, "text/event-stream", "upstream_error abstain"],
    [503, "text/event-stream", "upstream_error failure"],
    [302, "text/event-stream", "upstream_protocol failure"],
    [200, "text/html", "upstream_protocol failure"],
  ])("by answering the stream with %d %s is told apart", async (status, type, code) => {
    const answerStream = (response: import("node:http").ServerResponse) =>
      void response.writeHead(status, { "content-type": type, location: "http://127.0.0.1:9/" }).end("<html>");
    const server = await start({ answerStream });
    expect(await codeOf(call(connect(server.url), "any"))).toBe(code);
  });

  it("by an address that may not be reached is refused before anything is sent", async () => {
    const server = await start();
    const { port } = new URL(server.url);
    const closed = makeUpstreamPolicy();
    const to = (url: string) => openUpstream({ transport: "sse", url }, { deadlineMs: 5_000, policy: closed });
    expect(() => to(server.url)).toThrow(expect.objectContaining({ code: "egress_refused" }));
    const named = to(`http://localhost:${port}/sse`);
    expect(await codeOf(call(named, "any"))).toBe("egress_refused abstain");
    await named.close();
    expect(server.streams).toEqual([]);
  });
});

it("a call over SSE is not blamed for an answer of ours that its server did not take under the same number", async () => {
  let finish: (() => void) | null = null;
  const server = await start({
    onMessage({ id, method }, say) {
      if (method !== "tools/call") return;
      finish = () => say(answerTo(id));
      // Servers number what they ask as we do.
      say(JSON.stringify({ jsonrpc: "2.0", id, method: "ping" }));
    },
    statusOf({ method }) {
      if (method !== undefined) return 202;
      setTimeout(() => finish?.(), 100);
      return 500;
    },
  });
  expect(await codeOf(call(connect(server.url), "any"))).toBe("ok");
});
