import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { EntryDraft } from "@/lib/audit/entry";
import { exportEntries } from "@/lib/audit/export-entries";
import { exportResponse } from "@/lib/audit/export-response";
import { getEntry } from "@/lib/audit/get-entry";
import { perform } from "@/lib/audit/perform";
import { noteRead } from "@/lib/audit/read-note";
import type { SearchEntriesInput } from "@/lib/audit/schemas";
import { searchEntries } from "@/lib/audit/search-entries";
import { closeTrail, trail } from "@/lib/audit/trail";
import { verifyExport } from "@/lib/audit/verify";
import { verifyTrail } from "@/lib/audit/verify-trail";
import { newId } from "@/lib/core/ids";
import { resetSingleton } from "@/lib/core/singleton";
import { inTenant } from "@/lib/db/in-tenant";
import { setCircuitSource } from "@/lib/metrics/circuit-source";
import { readOverview } from "@/lib/metrics/read-overview";
import { flushCalls, startRecorder, stopRecorder } from "@/lib/metrics/recorder";
import { createTestTenant, type TestTenant } from "@/lib/testing/factories";
import { readTrail } from "@/lib/testing/read-trail";
import { withTestDatabase } from "@/lib/testing/test-database";

withTestDatabase();

let tenant: TestTenant;
const AGENT = newId();
const OPEN_CALL = newId();

const base = (over: Partial<EntryDraft>): EntryDraft => ({
  tenantId: tenant.tenantId,
  callId: newId(),
  phase: "outcome",
  eventType: "tool_call.finished",
  outcome: "success",
  decision: "allowed",
  actor: { type: "agent", id: AGENT, name: "triage-bot" },
  server: "files",
  tool: "read_file",
  requestId: newId(),
  ...over,
});

async function call(latencyMs: number, over: Partial<EntryDraft> = {}): Promise<string> {
  const callId = newId();
  const payload = { arguments: { path: "/secret/plan.txt" } };
  await trail().append(base({ callId, phase: "intent", eventType: "tool_call.started", outcome: "pending", payload }));
  return (await trail().append(base({ callId, latencyMs, payload: { result: { text: "the plan" } }, ...over })))
    .eventId;
}

beforeAll(async () => {
  tenant = await createTestTenant();
  startRecorder();
  for (const latencyMs of [10, 20, 30, 40]) await call(latencyMs);
  await call(100, { outcome: "failure", reasonCode: "upstream_timeout" });
  await call(50, { server: "memory", tool: "store_100%" });
  await trail().append(
    base({
      eventType: "tool_call.denied",
      outcome: "denied",
      decision: "denied",
      tool: "write_file",
      permission: "files:write",
      reasonCode: "permission_denied",
    }),
  );
  await trail().append(base({ eventType: "tool_call.refused", outcome: "failure", reasonCode: "circuit_open" }));
  await trail().append(
    base({ callId: OPEN_CALL, phase: "intent", eventType: "tool_call.started", outcome: "pending", tool: "slow_tool" }),
  );
});
afterAll(async () => {
  await closeTrail();
  await stopRecorder();
});

const search = (input: SearchEntriesInput = {}, held: readonly string[] = ["audit:read"]) =>
  perform(searchEntries, tenant.ctx(held), input);
const calls = async (input: SearchEntriesInput) =>
  (await search(input)).items.filter(({ type }) => type.startsWith("tool_call."));

describe("searching", () => {
  it("shows newest first, hides intents of ended calls and shows open ones", async () => {
    const items = await calls({});
    expect(items).toHaveLength(9);
    expect(items[0]).toMatchObject({
      callId: OPEN_CALL,
      phase: "intent",
      sentence: "Agent triage-bot is calling files__slow_tool.",
    });
    expect(items.filter(({ phase }) => phase === "intent")).toHaveLength(1);
    expect(items.map(({ seq }) => seq)).toEqual(items.map(({ seq }) => seq).toSorted((a, b) => b - a));
    expect(await calls({ phase: "intent" })).toHaveLength(7);
  });

  it.each([
    [{ server: "memory" }, 1],
    [{ tool: "read_file" }, 6],
    [{ tool: "memory__store_100%" }, 1],
    [{ outcome: "failure,denied" }, 3],
    [{ decision: "denied" as const }, 1],
    [{ caller: "TRIAGE-BOT" }, 9],
    [{ caller: AGENT }, 9],
    [{ caller: "nobody" }, 0],
    [{ q: "write_file files:write" }, 1],
    [{ q: "100%" }, 1],
    [{ q: "read%file" }, 0],
    [{ q: OPEN_CALL }, 1],
    [{ range: "15m" }, 9],
    [{ to: "2020-01-01T00:00:00Z" }, 0],
    [{ q: "'; drop table audit_entries; --" }, 0],
  ])("%j finds %i", async (input, count) => {
    expect(await calls(input)).toHaveLength(count);
  });

  it("pages by key without losing or repeating an entry", async () => {
    const all = (await search({ limit: 500 })).items.map(({ id }) => id);
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page: Awaited<ReturnType<typeof search>> = await search({
        limit: 3,
        ...(cursor === undefined ? {} : { cursor }),
      });
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(seen).toEqual(all);
  });

  it("refuses what it cannot mean", async () => {
    await expect(search({ outcome: "fine" })).rejects.toMatchObject({
      code: "invalid_input",
      detail: { issues: [{ path: "outcome" }] },
    });
    await expect(search({ cursor: "bm8" })).rejects.toMatchObject({ code: "invalid_input" });
    await expect(search({}, ["metrics:read"])).rejects.toMatchObject({ code: "permission_denied" });
  });

  it("is recorded, once per person and window", async () => {
    const count = async () => (await readTrail(tenant.tenantId)).filter(({ type }) => type === "trail.searched").length;
    const before = await count();
    await search();
    expect(await count()).toBe(before);
    resetSingleton("audit.read-notes");
    await search({ server: "files" });
    expect(await count()).toBe(before + 1);
  });
});

describe("one entry", () => {
  it("opens payloads only for audit:payload, and records that", async () => {
    const id = (await calls({ server: "memory" }))[0]?.id;
    const hidden = await perform(getEntry, tenant.ctx(["audit:read"]), { id });
    expect(hidden).toMatchObject({ payload: "forbidden", payloadAccess: "forbidden", hashValid: true });
    const shown = await perform(getEntry, tenant.ctx("compliance-officer"), { id });
    expect(shown).toMatchObject({ payload: { result: { text: "the plan" } }, payloadAccess: "shown" });
    expect(shown.related).toMatchObject([{ type: "tool_call.started", phase: "intent", outcome: "pending" }]);
    expect(shown.record).toMatchObject({ event_id: id, seq: shown.seq, tenant_id: tenant.tenantId });
    expect(
      (await readTrail(tenant.tenantId)).filter(({ type, target }) => type === "payload.read" && target === id),
    ).toHaveLength(1);
    const previous = await perform(getEntry, tenant.ctx(), { id: shown.previousId });
    expect(previous).toMatchObject({ seq: shown.seq - 1, nextId: id, hash: shown.prevHash });
  });
});

describe("a reading that was noted", () => {
  const noted = async (target: string) => (await readTrail(tenant.tenantId)).filter((each) => each.target === target);
  const note = (target: string, windowMs = 60_000) =>
    ({ eventType: "payload.read", target, windowMs, per: target }) as const;

  it("is noted again where its transaction did not hold: nobody reads on an entry that is not there", async () => {
    const ctx = tenant.ctx();
    const target = newId();
    const undone = inTenant(ctx.tenantId, async (tx) => {
      await noteRead(tx, ctx, note(target));
      throw new Error("the rest of the reading failed");
    });
    await expect(undone).rejects.toThrow();
    expect(await noted(target)).toHaveLength(0);
    for (let times = 0; times < 2; times += 1) await inTenant(ctx.tenantId, (tx) => noteRead(tx, ctx, note(target)));
    expect(await noted(target)).toHaveLength(1);
  });

  it("is forgotten when its window is over, also where the time of day was set back meanwhile", async () => {
    const ctx = tenant.ctx();
    const target = newId();
    await inTenant(ctx.tenantId, (tx) => noteRead(tx, ctx, note(target)));
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() - 3_600_000 });
    try {
      await new Promise((resolve) => setTimeout(resolve, 5));
      await inTenant(ctx.tenantId, (tx) => noteRead(tx, ctx, note(target, 1)));
    } finally {
      vi.useRealTimers();
    }
    expect(await noted(target)).toHaveLength(2);
  });
});

describe("acts on the trail", () => {
  it("verify and export leave entries", async () => {
    const report = await perform(verifyTrail, tenant.ctx("compliance-officer"), {});
    expect(report).toMatchObject({ valid: true, openIntents: 1 });
    const made = await perform(exportEntries, tenant.ctx("compliance-officer"), {});
    const types = (await readTrail(tenant.tenantId)).map(({ type }) => type);
    expect(types.slice(-2)).toEqual(["trail.verified", "trail.exported"]);
    const response = exportResponse(made);
    expect(response.headers.get("content-disposition")).toContain(
      `countersign-${tenant.slug}-1-${report.entries + 1}.jsonl`,
    );
    const bytes = new Uint8Array(await response.arrayBuffer());
    const head = made.manifest.range.head_hash;
    const verdict = await verifyExport(
      (async function* () {
        yield bytes;
      })(),
      head,
    );
    expect(verdict).toMatchObject({ valid: true, head, toSeq: report.entries + 1 });
  });

  it("exports nothing for who may only read", async () => {
    await expect(perform(exportEntries, tenant.ctx("developer"), {})).rejects.toMatchObject({
      detail: { missing: "audit:export" },
    });
  });
});

describe("the overview", () => {
  it("counts denials apart, and errors only of calls that reached a server", async () => {
    setCircuitSource(() => new Map([["files", { kind: "open" }]]));
    await flushCalls();
    const view = await perform(readOverview, tenant.ctx(["metrics:read"]), { range: "15m" });
    expect(view.totals).toMatchObject({ calls: 8, denied: 1, failures: 2, unknown: 0, allowed: 6 });
    expect(view.totals.errorRate).toBeCloseTo(1 / 6);
    // By nearest rank, and within one percent.
    expect(Math.abs((view.totals.p50Ms ?? 0) - 30)).toBeLessThanOrEqual(0.3);
    const [files, memory] = view.servers;
    expect(files).toMatchObject({ server: "files", calls: 7, denied: 1, failures: 2, circuit: "open" });
    expect(Math.abs((files?.p50Ms ?? 0) - 30)).toBeLessThanOrEqual(0.3);
    expect(files?.errorRate).toBeCloseTo(1 / 5);
    expect(memory).toMatchObject({ server: "memory", calls: 1, errorRate: 0, circuit: "closed", p95Ms: 50 });
    expect(view.series.length).toBe(16);
    expect(view.series.reduce((sum, point) => sum + point.calls, 0)).toBe(8);
    expect(view.series[0]).toMatchObject({ calls: 0, p95Ms: null, byServer: {} });
  });

  it("is empty, not wrong, without traffic", async () => {
    const other = await createTestTenant();
    const view = await perform(readOverview, other.ctx(["metrics:read"]), { range: "30d" });
    expect(view.totals).toMatchObject({ calls: 0, errorRate: null, p95Ms: null });
    expect(view.series.length).toBe(31);
    expect(view.servers).toEqual([]);
  });
});
