import { type ChildProcess, spawn } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { gatewayId } from "@/lib/audit/gateway-identity";
import { closeProcess, registerProcess } from "@/lib/audit/processes";
import { recoverOpenIntents } from "@/lib/audit/recover-open-intents";
import { closeTrail, makeTrail, trail } from "@/lib/audit/trail";
import { walkTrail } from "@/lib/audit/verify-trail";
import { newId } from "@/lib/core/ids";
import { resetSingleton } from "@/lib/core/singleton";
import { pool } from "@/lib/db/client";
import { inTenant } from "@/lib/db/in-tenant";
import { platformSql } from "@/lib/db/sql";
import { buildForTest, type TestBundle } from "@/lib/testing/bundle";
import { createTestTenant } from "@/lib/testing/factories";
import { IMPATIENT, switchableStore } from "@/lib/testing/switchable-store";
import { withTestDatabase } from "@/lib/testing/test-database";

withTestDatabase();

// A gateway that writes intents, ends every second call, and then hangs in the middle of the others.
const DOOMED = `
  import { openDatabase } from "@/lib/db/open-database";
  import { registerProcess } from "@/lib/audit/processes";
  import { trail } from "@/lib/audit/trail";
  import { gatewayId } from "@/lib/audit/gateway-identity";
  import { newId } from "@/lib/core/ids";
  const [tenantId, count] = process.argv.slice(2);
  await openDatabase();
  await registerProcess();
  const base = () => ({ tenantId, callId: newId(), actor: { type: "agent", id: newId(), name: "doomed-bot" }, server: "files", tool: "read_file", decision: "allowed", requestId: newId() });
  const calls = Array.from({ length: Number(count) }, base);
  await Promise.all(calls.map((call) => trail().append({ ...call, phase: "intent", eventType: "tool_call.started", outcome: "pending" })));
  await Promise.all(calls.filter((_, at) => at % 2 === 0).map((call) => trail().append({ ...call, phase: "outcome", eventType: "tool_call.finished", outcome: "success" })));
  process.stdout.write(gatewayId() + "\\n");
  setInterval(() => {}, 1000);
`;

let bundle: TestBundle;
beforeAll(async () => {
  bundle = await buildForTest(DOOMED);
});
afterAll(async () => {
  await closeTrail();
  await bundle.remove();
});

async function startDoomed(tenantId: string, count: number): Promise<{ child: ChildProcess; gateway: string }> {
  const child = spawn(process.execPath, [bundle.entry, tenantId, String(count)], { stdio: ["ignore", "pipe", "pipe"] });
  let errors = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const gateway = await new Promise<string>((resolve, reject) => {
    child.stdout?.once("data", (chunk: Buffer) => resolve(chunk.toString().trim()));
    child.once("exit", () => reject(new Error(`the child ended: ${errors}`)));
  });
  return { child, gateway };
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await gone;
}

/** With several processes a dead one must also have been silent for a while; the test does not wait for that. */
const silence = (gateway: string) =>
  platformSql((client) =>
    client.query("update gateway_processes set last_seen_at = now() - interval '1 minute' where id = $1::uuid", [
      gateway,
    ]),
  );
const outcomesOf = (tenantId: string, outcome: string) =>
  inTenant(tenantId, (tx) => tx.auditEntry.findMany({ where: { tenantId, phase: "outcome", outcome } }));

/** The lock is free as soon as PostgreSQL has seen the socket close. */
async function recovered(tenantId: string, wanted: number): Promise<number> {
  for (let tries = 0; tries < 50; tries += 1) {
    await recoverOpenIntents();
    const found = await outcomesOf(tenantId, "unknown");
    if (found.length >= wanted) return found.length;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return (await outcomesOf(tenantId, "unknown")).length;
}

describe("a process that dies in the middle of calls", () => {
  it("has each of them closed as unknown, once, by the next", async () => {
    const { tenantId } = await createTestTenant();
    const { child, gateway } = await startDoomed(tenantId, 40);
    try {
      await silence(gateway);
      // Control: while it lives, it holds its lock, and its calls are its own.
      await recoverOpenIntents();
      expect(await walkTrail(tenantId)).toMatchObject({ openIntents: 20, unknownOutcomes: 0 });
    } finally {
      await kill(child);
    }
    await silence(gateway);
    expect(await recovered(tenantId, 20)).toBe(20);
    const [entry] = await outcomesOf(tenantId, "unknown");
    expect(entry).toMatchObject({
      eventType: "tool_call.lost",
      actorName: "doomed-bot",
      server: "files",
      tool: "read_file",
      reasonCode: "gateway_stopped",
    });
    // Twice at once and again later: nothing is closed twice.
    await Promise.all([recoverOpenIntents(), recoverOpenIntents()]);
    expect(await walkTrail(tenantId)).toMatchObject({ valid: true, openIntents: 0, unknownOutcomes: 20, entries: 80 });
  });

  it("is left alone while its heart beats, even when its lock is free", async () => {
    const { tenantId } = await createTestTenant();
    const { child } = await startDoomed(tenantId, 2);
    await kill(child);
    // Seen a moment ago: with several processes a free lock may be no more than a broken connection.
    await recoverOpenIntents();
    expect(await outcomesOf(tenantId, "unknown")).toHaveLength(0);
  });
});

/** What `work` wrote was written by a process that is gone since, and had calls open since `openSince`. */
async function diedAfter(work: () => Promise<unknown>, openSince = new Date()): Promise<string> {
  resetSingleton("audit.gateway-id");
  const id = gatewayId();
  await work();
  await closeTrail();
  resetSingleton("audit.gateway-id");
  await platformSql((client) =>
    client.query(
      `insert into gateway_processes (id, lock_key, version, last_seen_at, open_since)
        values ($1::uuid, (random() * 1e15)::bigint, 'test', now() - interval '1 minute', $2::timestamptz)`,
      [id, openSince.toISOString()],
    ),
  );
  return id;
}

const closedAt = async (id: string): Promise<Date | null> => {
  const text = "select closed_at from gateway_processes where id = $1::uuid";
  const { rows } = await platformSql((client) => client.query<{ closed_at: Date | null }>(text, [id]));
  return rows[0]?.closed_at ?? null;
};

const intentIn = (tenantId: string, callId = newId()) =>
  trail().append({
    ...{ tenantId, callId, phase: "intent", eventType: "tool_call.started", outcome: "pending", requestId: newId() },
    actor: { type: "agent", id: newId(), name: "bot" },
    ...{ server: "files", tool: "resources:read", target: "resources/read file:///ward-7.txt", clientName: "desk" },
  });

describe("recovery", () => {
  it("of one tenant whose chain takes nothing more keeps nobody else's calls open, and no gateway from starting", async () => {
    const [broken, sound] = [await createTestTenant(), await createTestTenant()];
    const dead = await diedAfter(() => Promise.all([intentIn(broken.tenantId), intentIn(sound.tenantId)]));
    const { rows: heads } = await pool().query("delete from audit_heads where tenant_id = $1 returning *", [
      broken.tenantId,
    ]);
    await recoverOpenIntents();
    expect(await outcomesOf(sound.tenantId, "unknown")).toHaveLength(1);
    // It is not done with: once the chain can be written again, its calls are closed too.
    expect(await closedAt(dead)).toBeNull();
    const [{ seq, hash }] = heads;
    await pool().query("insert into audit_heads (tenant_id, seq, hash) values ($1, $2, $3)", [
      broken.tenantId,
      seq,
      hash,
    ]);
    await recoverOpenIntents();
    expect(await outcomesOf(broken.tenantId, "unknown")).toHaveLength(1);
    expect(await closedAt(dead)).not.toBeNull();
  });

  it("sees the outcome of a call in which the clock was set back", async () => {
    const { tenantId } = await createTestTenant();
    const callId = newId();
    const inMinutes = (minutes: number) => new Date(Date.now() + minutes * 60_000);
    // It lived on for five minutes, so that the outcome is older than all that it had open.
    const work = async () => {
      vi.useFakeTimers({ toFake: ["Date"], now: inMinutes(10) });
      await intentIn(tenantId, callId).finally(() => vi.useRealTimers());
      await trail().append({
        ...{ tenantId, callId, phase: "outcome", eventType: "tool_call.finished", outcome: "success" },
        ...{ requestId: newId(), actor: { type: "agent", id: newId(), name: "bot" } },
      });
    };
    const dead = await diedAfter(work, inMinutes(5));
    await recoverOpenIntents();
    expect(await closedAt(dead)).not.toBeNull();
    expect(await walkTrail(tenantId)).toMatchObject({ openIntents: 0, unknownOutcomes: 0, entries: 2 });
  });

  it("says what was asked for in a call that was no tool's", async () => {
    const { tenantId } = await createTestTenant();
    await diedAfter(() => intentIn(tenantId));
    await recoverOpenIntents();
    const [entry] = await outcomesOf(tenantId, "unknown");
    expect(entry).toMatchObject({ tool: "resources:read", target: "resources/read file:///ward-7.txt" });
    expect(Buffer.from(entry?.record ?? []).toString()).toContain('"client_name":"desk"');
  });
});

describe("registering", () => {
  it("leaves a row that says when it began, beats, and a clean stop", async () => {
    await registerProcess();
    await registerProcess();
    const rows = () => platformSql((client) => client.query("select * from gateway_processes where closed_at is null"));
    const before = (await rows()).rows.length;
    await closeProcess();
    expect((await rows()).rows.length).toBe(before - 1);
  });

  it("goes by the database's clock, whatever our own says: a slow one must not look like silence", async () => {
    const age = "extract(epoch from now() - last_seen_at) as seen, extract(epoch from now() - closed_at) as closed";
    const read = async () =>
      (
        await platformSql((client) =>
          client.query<{ seen: string; closed: string | null }>(
            `select ${age} from gateway_processes where id = $1::uuid`,
            [gatewayId()],
          ),
        )
      ).rows[0];
    resetSingleton("audit.gateway-id");
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() - 20_000 });
    try {
      await registerProcess();
      expect(Number((await read())?.seen)).toBeLessThan(5);
      await closeProcess();
      expect(Number((await read())?.seen)).toBeLessThan(5);
      expect(Number((await read())?.closed)).toBeLessThan(5);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("an outage in the middle of calls", () => {
  const call = (tenantId: string) => ({
    tenantId,
    callId: newId(),
    actor: { type: "agent", id: newId(), name: "bot" } as const,
    server: "files",
    tool: "read_file",
    requestId: newId(),
  });
  const settled = async (tenantId: string, open: number, unknown: number) => {
    for (let tries = 0; tries < 60; tries += 1) {
      const report = await walkTrail(tenantId);
      if (report.openIntents === open && report.unknownOutcomes === unknown && report.entries > 1) return report;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return walkTrail(tenantId);
  };

  it("closes a call as unknown whose outcome could not be written", async () => {
    const { tenantId } = await createTestTenant();
    const { state, store } = switchableStore();
    const own = makeTrail(store, IMPATIENT);
    const base = call(tenantId);
    await own.append({ ...base, phase: "intent", eventType: "tool_call.started", outcome: "pending" });
    state.down = true;
    const outcome = own.append({ ...base, phase: "outcome", eventType: "tool_call.finished", outcome: "success" });
    await expect(outcome).rejects.toMatchObject({ code: "audit_unavailable" });
    expect(own.status()).toMatchObject({ openCalls: 1 });
    state.down = false;
    expect(await settled(tenantId, 0, 1)).toMatchObject({
      valid: true,
      openIntents: 0,
      unknownOutcomes: 1,
      entries: 2,
    });
    expect(own.status()).toMatchObject({ openCalls: 0 });
    await own.close();
  });

  it("says that an answer was withheld whose outcome is in the trail, but was not known to be in time", async () => {
    const { tenantId } = await createTestTenant();
    const { state, store } = switchableStore();
    const own = makeTrail(store, IMPATIENT);
    const base = call(tenantId);
    await own.append({ ...base, phase: "intent", eventType: "tool_call.started", outcome: "pending" });
    state.mute = true;
    const outcome = own.append({ ...base, phase: "outcome", eventType: "tool_call.finished", outcome: "success" });
    await expect(outcome).rejects.toMatchObject({ code: "audit_unavailable" });
    state.mute = false;
    state.down = false;
    const entries = async () => inTenant(tenantId, (tx) => tx.auditEntry.findMany({ orderBy: { seq: "asc" } }));
    for (let tries = 0; tries < 60 && (await entries()).length < 3; tries += 1)
      await new Promise((resolve) => setTimeout(resolve, 100));
    expect((await entries()).map(({ eventType, phase }) => [eventType, phase])).toEqual([
      ["tool_call.started", "intent"],
      ["tool_call.finished", "outcome"],
      ["tool_call.answer_withheld", "system"],
    ]);
    expect((await entries())[2]).toMatchObject({ callId: base.callId, server: "files", outcome: "failure" });
    expect(own.status()).toMatchObject({ openCalls: 0 });
    await own.close();
  });

  it("closes an intent as refused that was written after its caller had been refused", async () => {
    const { tenantId } = await createTestTenant();
    const { state, store } = switchableStore();
    const own = makeTrail(store, IMPATIENT);
    state.mute = true;
    const intent = own.append({
      ...call(tenantId),
      phase: "intent",
      eventType: "tool_call.started",
      outcome: "pending",
    });
    await expect(intent).rejects.toMatchObject({ code: "audit_unavailable" });
    state.mute = false;
    state.down = false;
    expect(await settled(tenantId, 0, 0)).toMatchObject({ valid: true, openIntents: 0, entries: 2 });
    const [closing] = await outcomesOf(tenantId, "failure");
    expect(closing).toMatchObject({ eventType: "tool_call.refused", reasonCode: "audit_unavailable" });
    expect(own.status()).toMatchObject({ openCalls: 0 });
    await own.close();
  });
});

it("knows since when calls are open", async () => {
  const { tenantId } = await createTestTenant();
  const base = {
    tenantId,
    callId: newId(),
    actor: { type: "agent", id: newId(), name: "bot" },
    requestId: newId(),
  } as const;
  await trail().append({ ...base, phase: "intent", eventType: "tool_call.started", outcome: "pending" });
  const since = trail().openSince();
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(trail().openSince()).toBe(since);
  await trail().append({ ...base, phase: "outcome", eventType: "tool_call.finished", outcome: "success" });
  expect(trail().openSince()).toBeGreaterThan(since);
});
