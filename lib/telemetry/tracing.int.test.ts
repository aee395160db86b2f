import type { ChildProcess } from "node:child_process";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { perform } from "@/lib/audit/perform";
import { searchEntries } from "@/lib/audit/search-entries";
import { inTenant } from "@/lib/db/in-tenant";
import { bundleServer, freePort, gone, startDoor } from "@/lib/testing/door-processes";
import type { TestAgent } from "@/lib/testing/factories";
import { createWorld, type World } from "@/lib/testing/gateway-world";
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from "@/lib/testing/otlp-receiver";
import { parseExposition } from "@/lib/testing/parse-exposition";
import { rpc } from "@/lib/testing/rpc";
import { withTestDatabase } from "@/lib/testing/test-database";

withTestDatabase();

const PATIENCE = { timeout: 30_000, interval: 50 };
const TOKEN = "a-token-of-this-test-0123456789";
const [SERVER, CLIENT] = [2, 3];

let world: World;
let agent: TestAgent;
let receiver: OtlpReceiver;
let bundle: Awaited<ReturnType<typeof bundleServer>>;
let child: ChildProcess;
let base: string;

beforeAll(async () => {
  world = await createWorld({
    files: { tools: ["read", "write"], map: { read: "files:read" } },
    old: { era: "legacy", tools: ["read"], map: { read: "files:read" } },
  });
  agent = await world.agent("files:read");
  receiver = await startOtlpReceiver();
  bundle = await bundleServer();
  await start();
});

/** Starts a gateway that traces, in place of the one before. */
async function start(more: Readonly<Record<string, string>> = {}): Promise<void> {
  const port = await freePort();
  base = `http://127.0.0.1:${port}`;
  child = await startDoor(bundle.entry, port, {
    env: {
      EGRESS_ALLOW: "127.0.0.0/8",
      METRICS_TOKEN: TOKEN,
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_EXPORTER_OTLP_HEADERS: "x-receiver-key=it%20is%20me",
      OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=test",
      OTEL_EXPORTER_OTLP_TIMEOUT: "1000",
      OTEL_BSP_SCHEDULE_DELAY: "50",
      OTEL_METRICS_EXPORTER: "otlp",
      OTEL_METRIC_EXPORT_INTERVAL: "300",
      ...more,
    },
  });
}
afterAll(async () => {
  child.kill("SIGKILL");
  await gone(child);
  bundle.remove();
  await Promise.all([world.close(), receiver.close()]);
});
afterEach(() => {
  receiver.mood = "takes";
});

let traces = 0;
/** A trace of a caller that nobody else has. */
function newTrace() {
  traces += 1;
  const traceId = `4bf92f3577b34da6${String(traces).padStart(16, "0")}`;
  const spanId = `00f067aa${String(traces).padStart(8, "0")}`;
  return { traceId, spanId, traceparent: `00-${traceId}-${spanId}-01` };
}

const call = (name: string, options: Parameters<typeof rpc>[3] = {}, args = {}) =>
  rpc(`${base}/api/mcp`, "tools/call", { name, arguments: args }, { key: agent.key, ...options });

/** All spans of a trace, once its call's own has come. */
async function spansOf(traceId: string): Promise<readonly ReceivedSpan[]> {
  const found = () => receiver.spans.filter((span) => span.traceId === traceId);
  await expect.poll(() => found().some(({ kind }) => kind === SERVER), PATIENCE).toBe(true);
  return found();
}
const entriesOf = async (traceId: string): Promise<readonly Record<string, unknown>[]> => {
  const { tenantId } = world.tenant;
  const rows = await inTenant(tenantId, (tx) =>
    tx.auditEntry.findMany({ where: { tenantId, traceId }, orderBy: { seq: "asc" } }),
  );
  return rows.map(({ record }) => JSON.parse(Buffer.from(record).toString("utf8")) as Record<string, unknown>);
};
const toldTo = (slug: string) =>
  world.upstreams
    .get(slug)
    ?.requests.filter(({ method }) => method === "tools/call")
    .at(-1);
const only = (spans: readonly ReceivedSpan[], name: string): ReceivedSpan => {
  const found = spans.filter((span) => span.name === name);
  expect([name, found.length]).toEqual([name, 1]);
  return found[0] as ReceivedSpan;
};

describe("a call whose caller sent its trace", () => {
  it("is one trace from the caller over each stage to the server, and its entries carry it", async () => {
    const { traceId, spanId, traceparent } = newTrace();
    const tracestate = "rojo=00f067aa0ba902b7";
    const secret = "a-secret-in-an-argument";
    const reply = await call("files__read", { headers: { traceparent, tracestate } }, { path: secret });
    expect(reply.status).toBe(200);
    const spans = await spansOf(traceId);
    const own = spans.find(({ kind }) => kind === SERVER) as ReceivedSpan;
    expect(own).toMatchObject({ name: "tools/call read", parentSpanId: spanId, traceState: tracestate, failed: false });
    expect(own.attributes).toMatchObject({
      "mcp.method.name": "tools/call",
      "gen_ai.tool.name": "read",
      "countersign.server": "files",
      "countersign.tenant.id": world.tenant.tenantId,
      "countersign.agent.id": agent.agentId,
      "countersign.entry": reply.body.result._meta["dev.countersign/entry"],
    });
    const stages = spans.filter((span) => span !== own).sort((a, b) => Number(a.from - b.from));
    expect(stages.map(({ name }) => name)).toEqual([
      ...["authenticate", "authorize", "limits", "arguments", "circuit", "intent", "tools/call read", "outcome"],
    ]);
    for (const stage of stages) {
      expect([stage.name, stage.parentSpanId]).toEqual([stage.name, own.spanId]);
      expect(stage.from >= own.from && stage.to >= stage.from && stage.to <= own.to).toBe(true);
    }
    const client = stages.find(({ kind }) => kind === CLIENT);
    const told = { traceparent: `00-${traceId}-${client?.spanId}-01`, tracestate };
    expect(toldTo("files")?.headers).toMatchObject(told);
    expect(toldTo("files")?.meta).toMatchObject(told);
    const entries = await entriesOf(traceId);
    expect(entries.map(({ phase }) => phase)).toEqual(["intent", "outcome"]);
    for (const entry of entries) expect(entry).toMatchObject({ trace_id: traceId, span_id: own.spanId });
    const sent = receiver.requests.map(({ text }) => text).join("");
    for (const name of [secret, agent.key, agent.slug, "127.0.0.1"]) expect(sent).not.toContain(name);
  });

  it("goes on in the trace of its message, and links what carried it", async () => {
    const message = newTrace();
    const relay = newTrace();
    const { traceparent } = message;
    await call("old__read", { headers: { traceparent: relay.traceparent }, meta: { traceparent } });
    const spans = await spansOf(message.traceId);
    const own = spans.find(({ kind }) => kind === SERVER);
    expect(own?.parentSpanId).toBe(message.spanId);
    expect(own?.links).toEqual([{ traceId: relay.traceId, spanId: relay.spanId }]);
    const client = spans.find(({ kind }) => kind === CLIENT);
    expect(toldTo("old")?.headers["traceparent"]).toBe(`00-${message.traceId}-${client?.spanId}-01`);
  });

  it("shows where it failed, by the stable code, and names no tool that the caller may not know", async () => {
    const denied = newTrace();
    await call("files__write", { headers: { traceparent: denied.traceparent } });
    const spans = await spansOf(denied.traceId);
    const own = spans.find(({ kind }) => kind === SERVER);
    expect(own).toMatchObject({ name: "tools/call", failed: true });
    expect(own?.attributes["error.type"]).toBe("permission_denied");
    expect(own?.attributes["gen_ai.tool.name"]).toBeUndefined();
    expect(only(spans, "authorize").failed).toBe(true);
    expect(spans.map(({ name }) => name)).not.toContain("intent");
    expect(await entriesOf(denied.traceId)).toMatchObject([{ outcome: "denied", span_id: own?.spanId }]);
  });

  it("is not sent where the caller says that it is not kept, and still carried", async () => {
    const { traceId, traceparent } = newTrace();
    await call("files__read", { headers: { traceparent: traceparent.replace(/1$/, "0") } });
    const [intent] = await entriesOf(traceId);
    expect(toldTo("files")?.headers["traceparent"]).toBe(`00-${traceId}-${intent?.["span_id"]}-00`);
    const kept = newTrace();
    await call("files__read", { headers: { traceparent: kept.traceparent } });
    await spansOf(kept.traceId);
    expect(receiver.spans.filter((span) => span.traceId === traceId)).toEqual([]);
  });
});

it("a header that is no trace begins a new one, and is no error", async () => {
  for (const traceparent of [`ff-${"1".repeat(32)}-${"1".repeat(16)}-01`, "nonsense", `00-${"0".repeat(32)}-1-01`]) {
    expect((await call("files__read", { headers: { traceparent } })).status).toBe(200);
    const [, traceId = ""] = String(toldTo("files")?.headers["traceparent"]).split("-");
    const spans = await spansOf(traceId);
    expect(spans.find(({ kind }) => kind === SERVER)?.parentSpanId).toBe("");
    expect(traceparent).not.toContain(traceId);
    expect((await entriesOf(traceId)).length).toBe(2);
  }
});

it("a person finds the entries of a trace, alone or in the words of a search", async () => {
  const { traceId, traceparent } = newTrace();
  await call("files__read", { headers: { traceparent } });
  for (const filter of [{ trace: traceId }, { q: `trace:${traceId}` }]) {
    const { items } = await perform(searchEntries, world.tenant.ctx(), filter);
    expect(items.map(({ tool, phase }) => [tool, phase])).toEqual([["read", "outcome"]]);
  }
  expect((await perform(searchEntries, world.tenant.ctx(), { trace: newTrace().traceId })).items).toEqual([]);
});

describe("the receiver", () => {
  const scrape = async () => {
    const answer = await fetch(`${base}/api/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } });
    expect(answer.status).toBe(200);
    return parseExposition(await answer.text());
  };
  const spanCount = async (outcome: string): Promise<number> =>
    (await scrape()).get("countersign_spans_total")?.samples.find(({ labels }) => labels["outcome"] === outcome)
      ?.value ?? 0;

  it("is told who sends, with the credential that it was given", () => {
    expect(receiver.requests[0]?.headers["x-receiver-key"]).toBe("it is me");
    expect(receiver.resources[0]).toMatchObject({
      "service.name": "countersign",
      "deployment.environment.name": "test",
    });
  });

  it.each(["refuses", "hangs"] as const)(
    "that %s costs no call anything, and what it misses is counted",
    async (mood) => {
      await call("files__read");
      const before = await spanCount("failed");
      receiver.mood = mood;
      const replies = await Promise.all(Array.from({ length: 40 }, () => call("files__read")));
      expect(replies.map(({ status }) => status)).toEqual(replies.map(() => 200));
      await expect.poll(() => spanCount("failed"), PATIENCE).toBeGreaterThan(before);
    },
  );

  it("gets the figures of /api/metrics under the same names", async () => {
    const names = () => [...new Set(receiver.metrics.map(({ name }) => name))].sort();
    await expect.poll(names, PATIENCE).toEqual([...(await scrape()).keys()].sort());
    const calls = receiver.metrics.findLast(({ name }) => name === "countersign_calls_total");
    expect(JSON.stringify(calls?.body)).toContain('"isMonotonic":true');
  });

  it("gets what waits when the process stops", async () => {
    child.kill("SIGTERM");
    await gone(child);
    expect(child.exitCode).toBe(0);
    // Longer than any test: nothing is sent before the stop.
    await start({ OTEL_BSP_SCHEDULE_DELAY: "600000" });
    const { traceId, traceparent } = newTrace();
    expect((await call("files__read", { headers: { traceparent } })).status).toBe(200);
    expect(receiver.spans.some((span) => span.traceId === traceId)).toBe(false);
    child.kill("SIGTERM");
    await gone(child);
    expect(child.exitCode).toBe(0);
    expect(receiver.spans.some((span) => span.traceId === traceId && span.kind === SERVER)).toBe(true);
  });
});
