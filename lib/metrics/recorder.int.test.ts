import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { closeTrail, trail } from "@/lib/audit/trail";
import { newId } from "@/lib/core/ids";
import { pool } from "@/lib/db/client";
import { inTenant } from "@/lib/db/in-tenant";
import { tenantSql } from "@/lib/db/sql";
import { getGateway } from "@/lib/gateway/compose";
import { executeToolCall } from "@/lib/gateway/execute-tool-call";
import { type Figures, type FiguresQuery, readFigures, readRolledUp } from "@/lib/metrics/figures";
import { flushCalls, startRecorder, stopRecorder } from "@/lib/metrics/recorder";
import type { TestAgent } from "@/lib/testing/factories";
import { createWorld, type World } from "@/lib/testing/gateway-world";
import { withTestDatabase } from "@/lib/testing/test-database";

withTestDatabase();

let world: World;
let reader: TestAgent;
let stranger: TestAgent;

beforeAll(async () => {
  world = await createWorld({
    files: { tools: ["read", "write"], map: { read: "files:read", write: "files:write" } },
    notes: { tools: ["read"], map: { read: "notes:read" } },
  });
  reader = await world.agent("files:read", "notes:read");
  stranger = await world.agent("nothing:else");
  startRecorder();
});
afterAll(async () => {
  await closeTrail();
  await stopRecorder();
  await world.close();
});

const call = (agent: TestAgent, server: string, name: string) =>
  executeToolCall(getGateway(), {
    credential: { kind: "key", secret: agent.key },
    ref: { server, tool: name },
    args: {},
    entrance: { requestId: newId(), door: "/api/mcp", ip: "127.0.0.1", userAgent: null },
  });

const HOUR_MS = 3_600_000;
const figures = (query: Pick<FiguresQuery, "level" | "by">): Promise<readonly Figures[]> =>
  inTenant(world.tenant.tenantId, async (tx) => {
    const { tenantId } = world.tenant;
    const now = Date.now();
    const whole = { tenantId, from: now - HOUR_MS, to: now + HOUR_MS, ...query };
    return readFigures(tx, await readRolledUp(tx, tenantId), whole);
  });

/** The same, counted from the trail itself, minute by minute. */
async function fromTrail(columns: string): Promise<readonly Record<string, unknown>[]> {
  const { tenantId } = world.tenant;
  const { rows } = await tenantSql(tenantId, (client) =>
    client.query<Record<string, unknown>>(
      `select ${columns}, count(*)::int as calls, count(*) filter (where outcome = 'success')::int as successes,
          count(*) filter (where outcome = 'failure')::int as failures,
          count(*) filter (where outcome = 'denied')::int as denied,
          count(*) filter (where event_type = 'tool_call.finished')::int as reached
        from audit_entries where tenant_id = $1 and phase = 'outcome' and starts_with(event_type, 'tool_call.')
        group by ${columns} order by ${columns}`,
      [tenantId],
    ),
  );
  return rows;
}

describe("after calls of every kind", () => {
  beforeAll(async () => {
    await Promise.all(Array.from({ length: 60 }, () => call(reader, "files", "read")));
    await Promise.all(Array.from({ length: 20 }, () => call(reader, "notes", "read")));
    await Promise.all(Array.from({ length: 15 }, () => call(stranger, "files", "read")));
    for (const made of ["up", "of", "nothing"]) await call(reader, "files", made);
    world.upstreams.get("files")?.setFault("is-error");
    await call(reader, "files", "read");
    world.upstreams.get("files")?.setFault("none");
    // The circuit opens after some of these, and refuses the rest.
    world.upstreams.get("notes")?.setFault("status-500");
    for (let failed = 0; failed < 8; failed += 1) await call(reader, "notes", "read");
    await flushCalls();
  });

  it("the totals are the trail's, to the call", async () => {
    const [total] = await figures({ level: "tenant" });
    const [truth] = await fromTrail("tenant_id");
    const { calls, successes, failures, denied, reached } = total ?? {};
    expect({ calls, successes, failures, denied, reached, tenant_id: world.tenant.tenantId }).toEqual(truth);
    expect(calls).toBe(107);
    expect(denied).toBeGreaterThanOrEqual(15);
  });

  it("what a circuit held back is told from what the server failed", async () => {
    const [notes] = (await figures({ level: "server", by: ["server"] })).filter(({ server }) => server === "notes");
    expect(notes).toMatchObject({ calls: 28, successes: 20, failures: 8 });
    expect(notes?.heldBack).toBeGreaterThan(0);
    expect((notes?.heldBack ?? 0) + (notes?.reachedFailures ?? 0)).toBe(8);
  });

  it("and so they are in every minute", async () => {
    const { tenantId } = world.tenant;
    const { rows } = await tenantSql(tenantId, (client) =>
      client.query(
        `select at, calls::int, successes::int, failures::int, denied::int, reached::int from
          (select at, sum(calls) as calls, sum(successes) as successes, sum(failures) as failures, sum(denied) as denied,
            sum(reached) as reached from call_minutes where tenant_id = $1 and level = 0 group by at) m order by at`,
        [tenantId],
      ),
    );
    const truth = await fromTrail("date_trunc('minute', ts)");
    expect(rows).toEqual(truth.map(({ date_trunc: at, ...counts }) => ({ at, ...counts })));
  });

  it.each([
    ["server", "server", ["server"]],
    ["tool", "server, tool", ["server", "tool"]],
    ["caller", "actor_id, server", ["caller", "server"]],
  ] as const)("and by %s", async (level, columns, by) => {
    const told = (await figures({ level, by })).map((row) => ({
      ...Object.fromEntries(by.map((name) => [name === "caller" ? "actor_id" : name, row[name]])),
      ...{
        calls: row.calls,
        successes: row.successes,
        failures: row.failures,
        denied: row.denied,
        reached: row.reached,
      },
    }));
    const inOrder = (rows: readonly unknown[]) => rows.map((row) => JSON.stringify(row)).sort();
    const truth = (await fromTrail(columns)).map((row) => ({ ...row }));
    const sorted = (row: Record<string, unknown>) => Object.fromEntries(Object.entries(row).sort());
    expect(inOrder(told.map(sorted))).toEqual(inOrder(truth.map(sorted)));
  });

  it("tells apart what the server took, what waiting took and what is ours", async () => {
    const [files] = (await figures({ level: "server", by: ["server"] })).filter(({ server }) => server === "files");
    expect(files?.upstreamMs).toBeGreaterThan(0);
    expect(files?.totalMs).toBeGreaterThan((files?.upstreamMs ?? 0) + (files?.queueMs ?? 0));
    expect(files?.p50).toBeGreaterThanOrEqual(files?.minMs ?? Number.NaN);
    expect(files?.p99).toBeLessThanOrEqual(files?.maxMs ?? Number.NaN);
  });

  it("what is stored twice is counted once, and what comes later is added", async () => {
    const [before] = await figures({ level: "tenant" });
    await flushCalls();
    expect((await figures({ level: "tenant" }))[0]).toEqual(before);
    await call(reader, "files", "read");
    await flushCalls();
    expect((await figures({ level: "tenant" }))[0]?.calls).toBe((before?.calls ?? 0) + 1);
  });

  it("calls do not wait for figures to be stored: with the table locked they end, and are counted once it is free", async () => {
    const [before] = await figures({ level: "tenant" });
    const client = await pool().connect();
    await client.query("begin; lock table call_minutes in access exclusive mode");
    const stored = { yet: false };
    const outcomes = await Promise.all(Array.from({ length: 5 }, () => call(reader, "files", "read")));
    const flushed = flushCalls().then(() => {
      stored.yet = true;
    });
    outcomes.push(await call(reader, "files", "read"));
    expect(outcomes.map(({ ok }) => ok)).toEqual([true, true, true, true, true, true]);
    expect(stored.yet).toBe(false);
    await client.query("rollback");
    client.release();
    await flushed;
    await flushCalls();
    expect((await figures({ level: "tenant" }))[0]?.calls).toBe((before?.calls ?? 0) + 6);
  });

  it("a process that stops stores what it has counted", async () => {
    const [before] = await figures({ level: "tenant" });
    await call(reader, "files", "read");
    await stopRecorder();
    expect((await figures({ level: "tenant" }))[0]?.calls).toBe((before?.calls ?? 0) + 1);
    startRecorder();
  });

  it("an intent is no call yet, and another tenant's calls are nobody else's", async () => {
    const [before] = await figures({ level: "tenant" });
    const draft = {
      actor: { type: "agent", id: newId(), name: "x" },
      requestId: newId(),
      server: "files",
      tool: "read",
    } as const;
    const open = {
      ...draft,
      callId: newId(),
      phase: "intent",
      eventType: "tool_call.started",
      outcome: "pending",
    } as const;
    await trail().append({ ...open, tenantId: world.tenant.tenantId });
    const other = await createWorld({});
    const ended = {
      ...draft,
      callId: newId(),
      phase: "outcome",
      eventType: "tool_call.finished",
      outcome: "success",
    } as const;
    await trail().append({ ...ended, tenantId: other.tenant.tenantId, latencyMs: 3 });
    await flushCalls();
    expect((await figures({ level: "tenant" }))[0]).toEqual(before);
    await other.close();
  });
});
