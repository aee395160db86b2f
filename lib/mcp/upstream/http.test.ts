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
