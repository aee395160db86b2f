import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { afterAll, describe, expect, it } from "vitest";
import type { EntryDraft } from "@/lib/audit/entry";
import { closeTrail, trail } from "@/lib/audit/trail";
import { walkTrail } from "@/lib/audit/verify-trail";
import { newId } from "@/lib/core/ids";
import { databaseUrl, pool } from "@/lib/db/client";
import { inTenant } from "@/lib/db/in-tenant";
import { entryDraft } from "@/lib/testing/entry-draft";
import { createTestTenant } from "@/lib/testing/factories";
import { holdHead } from "@/lib/testing/hold-head";
import { withTestDatabase } from "@/lib/testing/test-database";

withTestDatabase();
afterAll(closeTrail);

/** A tenant whose head this process knows, so that a batch is one statement that PostgreSQL carries out without us. */
async function knownTenant(): Promise<string> {
  const { tenantId } = await createTestTenant();
  for (let at = 0; at < 3; at += 1) await trail().append(entryDraft(tenantId));
  return tenantId;
}

/** Breaks our end of each connection; the statement behind it runs on. */
function breakConnections(): void {
  const { _clients: clients } = pool() as unknown as { _clients: { connection: { stream: { destroy(): void } } }[] };
  for (const client of clients) client.connection.stream.destroy();
}

type Call = Omit<EntryDraft, "phase" | "eventType" | "outcome"> & { readonly callId: string };
const callOf = (tenantId: string): Call => ({
  ...{ tenantId, callId: newId(), actor: { type: "agent", id: newId(), name: "bot" }, requestId: newId() },
  ...{ server: "files", tool: "read_file", decision: "allowed" },
});
const intentOf = (call: Call) =>
  ({ ...call, phase: "intent", eventType: "tool_call.started", outcome: "pending" }) as const;
const PATIENCE_MS = 5_500;

async function entriesOf(tenantId: string, callId: string): Promise<readonly string[]> {
  const rows = await inTenant(tenantId, (tx) =>
    tx.auditEntry.findMany({ where: { tenantId, callId }, orderBy: { seq: "asc" } }),
  );
  return rows.map(({ eventType }) => eventType);
}

/** Until nothing is owed any more. */
async function settled(): Promise<void> {
  for (let tries = 0; tries < 100 && trail().status().openCalls > 0; tries += 1) await delay(100);
}

/** Appends while the head is held, until the caller is refused; then the connection is lost, and the head let go. */
async function refuseMeanwhile(draft: EntryDraft, letGo: () => Promise<unknown>): Promise<void> {
  const refused = expect(trail().append(draft)).rejects.toMatchObject({ code: "audit_unavailable" });
  await delay(PATIENCE_MS);
  breakConnections();
  await delay(1_000);
  await letGo();
  await refused;
  await settled();
}

describe("a connection that is lost while its statement still waits for the head", () => {
  it("leaves an entry that is written once", async () => {
    const tenantId = await knownTenant();
    const letGo = await holdHead(tenantId);
    const call = callOf(tenantId);
    const appended = trail().append(intentOf(call));
    await delay(300);
    breakConnections();
    await delay(1_000);
    await letGo();
    await appended;
    await delay(500);
    expect(await entriesOf(tenantId, call.callId)).toEqual(["tool_call.started"]);
    await trail().append({ ...call, phase: "outcome", eventType: "tool_call.finished", outcome: "success" });
    expect(await walkTrail(tenantId)).toMatchObject({ valid: true, entries: 5 });
  });

  it("leaves no intent without outcome when its caller was refused meanwhile", async () => {
    const tenantId = await knownTenant();
    const letGo = await holdHead(tenantId);
    const call = callOf(tenantId);
    await refuseMeanwhile(intentOf(call), letGo);
    expect(await entriesOf(tenantId, call.callId)).toEqual(["tool_call.started", "tool_call.refused"]);
    expect(trail().status().openCalls).toBe(0);
  });

  it("leaves one outcome, and that it was withheld, when its caller was refused meanwhile", async () => {
    const tenantId = await knownTenant();
    const call = callOf(tenantId);
    await trail().append(intentOf(call));
    const letGo = await holdHead(tenantId);
    const outcome = { ...call, phase: "outcome", eventType: "tool_call.finished", outcome: "success" } as const;
    await refuseMeanwhile(outcome, letGo);
    await delay(1_500);
    const said = ["tool_call.started", "tool_call.finished", "tool_call.answer_withheld"];
    expect(await entriesOf(tenantId, call.callId)).toEqual(said);
  });
});

it("a new connection that leads to a server which takes no writes is not used, and entries wait for one that does", async () => {
  const tenantId = await knownTenant();
  const url = new URL(databaseUrl());
  url.searchParams.set("options", "-c default_transaction_read_only=off");
  const owner = new pg.Client({ connectionString: url.href });
  await owner.connect();
  const { rows } = await owner.query<{ name: string }>("select current_database() as name");
  const database = pg.escapeIdentifier(rows[0]?.name ?? "");
  // As after a failover, when the old address leads to the standby for a while.
  await owner.query(`alter database ${database} set default_transaction_read_only = on`);
  try {
    breakConnections();
    await delay(100);
    const waiting = trail().append(entryDraft(tenantId));
    const people = inTenant(tenantId, (tx) => tx.auditEntry.count());
    await Promise.all([
      delay(1_500).then(() => owner.query(`alter database ${database} reset default_transaction_read_only`)),
      expect(waiting).resolves.toMatchObject({ tenantId }),
      expect(people).rejects.toMatchObject({ code: "unavailable" }),
    ]);
    // And no session is left that would refuse what comes later.
    await Promise.all(Array.from({ length: 30 }, () => trail().append(entryDraft(tenantId))));
    expect(await walkTrail(tenantId)).toMatchObject({ valid: true, entries: 34 });
  } finally {
    await owner.query(`alter database ${database} reset default_transaction_read_only`);
    await owner.end();
  }
});

it("a session that falls silent with the head locked loses it", async () => {
  const tenantId = await knownTenant();
  const silent = await pool().connect();
  const gone = new Promise<Error>((resolve) => silent.once("error", resolve));
  await silent.query("begin");
  await silent.query("select set_config('app.tenant_id', $1, true), set_config('role', 'countersign_tenant', true)", [
    tenantId,
  ]);
  const { rowCount } = await silent.query("select 1 from audit_heads where tenant_id = $1 for update", [tenantId]);
  expect(rowCount).toBe(1);
  const append = () => trail().append(entryDraft(tenantId));
  try {
    // Control: as long as it is held, nothing is written, and callers are told so.
    await expect(append()).rejects.toMatchObject({ code: "audit_unavailable" });
    expect(await Promise.race([gone, delay(8_000)])).toBeInstanceOf(Error);
  } finally {
    silent.release(true);
  }
  await append();
  expect(await walkTrail(tenantId)).toMatchObject({ valid: true, firstBreak: null });
});
