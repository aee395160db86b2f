import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { isAppError } from "@/lib/core/errors";
import { voteOf } from "@/lib/mcp/upstream/faults";
import { openUpstream } from "@/lib/mcp/upstream/open-upstream";
import { makeUpstreamPolicy } from "@/lib/mcp/upstream/policy";
import { probeUpstream } from "@/lib/mcp/upstream/probe-upstream";
import type { Progress, Upstream } from "@/lib/mcp/upstream/protocol";
import { startDeadline } from "@/lib/resilience/deadline";
import {
  type FakeUpstream,
  type FakeUpstreamOptions,
  type Fault,
  startFakeUpstream,
} from "@/lib/testing/fake-upstream";

const policy = makeUpstreamPolicy({ allowLoopback: true });
const open: { close: () => Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()));
});

async function setup(options: FakeUpstreamOptions = {}): Promise<{ fake: FakeUpstream; upstream: Upstream }> {
  const fake = await startFakeUpstream(options);
  const upstream = openUpstream({ transport: "http", url: fake.url }, { deadlineMs: 2_000, policy });
  open.push(upstream, fake);
  return { fake, upstream };
}

async function call(
  upstream: Upstream,
  deadlineMs = 2_000,
  onProgress?: (progress: Progress) => void,
  signal?: AbortSignal,
) {
  const deadline = startDeadline(deadlineMs, signal);
  try {
    const params = { name: "echo", arguments: { m: "hi" } };
    return await upstream.request({ method: "tools/call", params, deadline, onProgress });
  } finally {
    deadline.release();
  }
}
const methodsOf = ({ requests }: FakeUpstream) => requests.map(({ method }) => method);
const failure = (work: Promise<unknown>) =>
  work.then(
    () => null,
    (cause: unknown) => (isAppError(cause) ? cause : null),
  );

describe.each(["modern", "legacy"] as const)("an upstream of the %s era", (era) => {
  it("is probed and called", async () => {
    const { fake, upstream } = await setup({ era, tools: ["echo", "other", "bad name"] });
    const probe = await probeUpstream({ transport: "http", url: fake.url }, undefined, { policy });
    expect(probe).toMatchObject({ ok: true, era, serverName: "fake", error: null });
    expect(probe.tools.map((tool) => tool.name)).toEqual(["echo", "other"]);
    expect(probe.tools[0]?.definitionSha256).toMatch(/^[0-9a-f]{64}$/);
    const { result } = await call(upstream);
    expect(result["content"]).toEqual([{ type: "text", text: '{"m":"hi"}' }]);
  });

  it("passes progress on", async () => {
    const { upstream } = await setup({ era, progress: 3 });
    const seen: number[] = [];
    await call(upstream, 2_000, ({ progress }) => seen.push(progress));
    expect(seen).toEqual([1, 2, 3]);
  });

  it.each<[Fault, string, string]>([
    ["hang", "upstream_timeout", "failure"],
    ["drip", "upstream_timeout", "failure"],
    ["reset", "upstream_unreachable", "failure"],
    ["cut", "upstream_protocol", "failure"],
    ["garbage", "upstream_protocol", "failure"],
    ["wrong-id", "upstream_protocol", "failure"],
    ["huge", "upstream_protocol", "failure"],
    ["deep", "upstream_protocol", "failure"],
    ["redirect", "upstream_protocol", "failure"],
    ["status-500", "upstream_error", "failure"],
    ["status-429", "upstream_error", "failure"],
    ["status-401", "upstream_error", "abstain"],
    ["rpc-error", "upstream_error", "success"],
  ])("turns %s into %s, which votes %s, within the deadline", async (fault, code, vote) => {
    const { fake, upstream } = await setup({ era });
    await call(upstream);
    fake.setFault(fault);
    const startedAt = performance.now();
    const error = await failure(call(upstream, 400));
    expect(error?.code).toBe(code);
    expect(error && voteOf(error)).toBe(vote);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    fake.setFault("none");
    await call(upstream);
  });

  it("leaves the server when the caller does", async () => {
    const { fake, upstream } = await setup({ era });
    await call(upstream);
    fake.setFault("hang");
    const caller = new AbortController();
    const gone = failure(call(upstream, 5_000, undefined, caller.signal));
    await new Promise((resolve) => setTimeout(resolve, 50));
    caller.abort();
    expect((await gone)?.code).toBe("cancelled");
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(fake.left()).toBe(1);
    expect(fake.cancelled).toHaveLength(era === "legacy" ? 1 : 0);
  });
});

type Asked = {
  readonly id?: number;
  readonly method?: string;
  readonly result?: object;
  readonly era: "modern" | "legacy";
};
/** Answers with a status and a body, or with events. */
type Reply = {
  readonly status?: number;
  readonly error?: object;
  readonly result?: object;
  readonly events?: object[];
};

/** A server whose every answer the test decides; what it returns null for is answered as a server of the sessions era would. */
async function startRaw(
  reply: (asked: Asked) => Reply | null,
): Promise<{ readonly url: string; readonly asked: Asked[] }> {
  const asked: Asked[] = [];
  const info = {
    protocolVersion: "2025-11-25",
    capabilities: { tools: {} },
    serverInfo: { name: "raw", version: "1" },
  };
  const answer: RequestListener = (request, response) => void respond(request, response);
  const respond = async (request: IncomingMessage, response: ServerResponse) => {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    if (request.method !== "POST") return response.writeHead(405).end();
    const era = request.headers["mcp-protocol-version"] === "2026-07-28" ? "modern" : "legacy";
    const message = { ...(JSON.parse(body) as object), era } as Asked;
    asked.push(message);
    const { id, method } = message;
    const usual: Reply =
      method === "initialize" ? { result: info } : { status: 400, error: { code: -32000, message: "no" } };
    if (id === undefined || method === undefined) return response.writeHead(202).end();
    const { status = 200, events, ...said } = reply(message) ?? usual;
    const last = { jsonrpc: "2.0", id, ...said };
    const type = events === undefined ? "application/json" : "text/event-stream";
    response.writeHead(status, { "content-type": type, ...(method === "initialize" ? { "mcp-session-id": "s" } : {}) });
    if (events === undefined) return response.end(JSON.stringify(last));
    for (const each of [...events, last]) {
      response.write(`data: ${JSON.stringify(each)}\n\n`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return response.end();
  };
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  open.push({ close: () => new Promise((resolve) => server.close(() => resolve()) && server.closeAllConnections()) });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, asked };
}

async function speakWith(reply: (asked: Asked) => Reply | null) {
  const server = await startRaw(reply);
  const upstream = openUpstream({ transport: "http", url: server.url }, { deadlineMs: 2_000, policy });
  open.unshift(upstream);
  return {
    upstream,
    calls: () => server.asked.filter(({ method }) => method === "tools/call").length,
    asked: server.asked,
  };
}

describe("a call over HTTP", () => {
  it("is sent again only where the session was lost, not for any error that is called -32000", async () => {
    const error = (message: string) => ({ status: 400, error: { code: -32000, message } });
    const refused = await speakWith(({ method }) =>
      method === "tools/call" ? error("Amount must be positive") : null,
    );
    expect((await failure(call(refused.upstream)))?.message).toBe("Amount must be positive");
    expect(refused.calls()).toBe(1);

    let lost = true;
    const lostOnce = await speakWith(({ method }) => {
      if (method !== "tools/call") return null;
      const was = lost;
      lost = false;
      return was ? error("Bad Request: No valid session ID provided") : { result: { content: [] } };
    });
    expect((await call(lostOnce.upstream)).result).toEqual({ content: [] });
    expect(lostOnce.calls()).toBe(2);
  });

  it("finds out that a server has come to speak the other era, either way", async () => {
    let speaks: "modern" | "legacy" = "legacy";
    const found = { supportedVersions: ["2026-07-28"], capabilities: {}, resultType: "complete" };
    const both = await speakWith(({ method, era }) => {
      if (era !== speaks && method !== "initialize") {
        const code = speaks === "modern" ? -32022 : -32000;
        return { status: 400, error: { code, message: "Bad Request: Server not initialized" } };
      }
      if (method === "server/discover") return { result: found };
      return method === "tools/call" ? { result: { content: [], resultType: "complete", n: era } } : null;
    });
    for (const era of ["legacy", "modern", "legacy"] as const) {
      speaks = era;
      expect((await call(both.upstream)).result["n"]).toBe(era);
    }
  });

  it("passes on that the server knows no such method, which the stateless revision answers with 404", async () => {
    const found = { supportedVersions: ["2026-07-28"], capabilities: {}, resultType: "complete" };
    const { upstream } = await speakWith(({ method }) =>
      method === "server/discover"
        ? { result: found }
        : { status: 404, error: { code: -32601, message: "Method not found" } },
    );
    const refused = await failure(call(upstream));
    expect(refused?.detail).toMatchObject({ rpcCode: -32601, httpStatus: 404 });
  });

  it("answers a server of the sessions era that asks whether we are there, on its stream and between calls", async () => {
    const ping = { jsonrpc: "2.0", id: "are you there", method: "ping" };
    const { upstream, asked } = await speakWith(({ method }) =>
      method === "tools/call" ? { events: [ping], result: { content: [] } } : null,
    );
    await call(upstream);
    const answers = () => asked.filter(({ method, result }) => method === undefined && result !== undefined);
    await expect.poll(answers).toMatchObject([{ id: "are you there", result: {} }]);
  });
});

describe("an upstream over HTTP", () => {
  it.each([true, false])("starts a new session when the server has lost the old one", async (saysBadRequest) => {
    const { fake, upstream } = await setup({ era: "legacy", saysBadRequest });
    await call(upstream);
    fake.setFault("lost-session");
    await call(upstream);
    expect(fake.calls).toHaveLength(2);
    expect(fake.requests.filter((request) => request.method === "initialize")).toHaveLength(2);
  });

  it("names method and tool in headers on the modern wire, and mirrors the marked arguments", async () => {
    const { fake, upstream } = await setup();
    const deadline = startDeadline(1_000);
    const inputSchema = { properties: { region: { type: "string", "x-mcp-header": "Region" } } };
    const params = { name: "echo", arguments: { region: "Zürich" } };
    await upstream.request({ method: "tools/call", params, deadline, inputSchema });
    deadline.release();
    expect(fake.requests.at(-1)?.headers).toMatchObject({
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": "tools/call",
      "mcp-name": "echo",
      "mcp-param-region": `=?base64?${Buffer.from("Zürich").toString("base64")}?=`,
    });
  });

  it("ends its session at the server when it is closed, cuts what is under way at once, and waits for nobody", async () => {
    const { fake, upstream } = await setup({ era: "legacy" });
    await call(upstream);
    fake.setFault("hang");
    const cut = failure(call(upstream));
    await expect.poll(() => methodsOf(fake).filter((method) => method === "tools/call").length).toBe(2);
    await upstream.close();
    expect((await cut)?.code).toBe("upstream_unreachable");
    expect(methodsOf(fake).filter((method) => method === "DELETE")).toHaveLength(1);
    const headers = { "mcp-session-id": "session-1", "mcp-protocol-version": expect.stringMatching(/^2025-/) };
    expect(fake.requests.at(-1)).toMatchObject({ method: "DELETE", headers });

    const stateless = await setup({ era: "modern" });
    await call(stateless.upstream);
    await stateless.upstream.close();
    expect(methodsOf(stateless.fake)).not.toContain("DELETE");

    const gone = await setup({ era: "legacy" });
    await call(gone.upstream);
    await gone.fake.close();
    await gone.upstream.close();
  });

  it("says so when nobody listens, and refuses what the policy forbids before any packet", async () => {
    const { fake, upstream } = await setup();
    await fake.close();
    expect((await failure(call(upstream)))?.code).toBe("upstream_unreachable");
    const refused = await probeUpstream({ transport: "http", url: fake.url }, undefined, {
      policy: makeUpstreamPolicy(),
    });
    expect(refused.error?.code).toBe("egress_refused");
  });

  it("sends the credential, and lets it replace no header of the transport", async () => {
    const { fake } = await setup();
    const credential = { Authorization: "Bearer s3cret", "Mcp-Method": "evil", Host: "evil" };
    await probeUpstream({ transport: "http", url: fake.url }, credential, { policy });
    const headers = fake.requests.at(-1)?.headers;
    expect(headers).toMatchObject({ authorization: "Bearer s3cret", "mcp-method": "tools/list" });
    expect(headers?.host).not.toBe("evil");
  });
});
