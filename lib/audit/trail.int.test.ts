import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { appendInTransaction } from "@/lib/audit/append-in-transaction";
import { getEntry } from "@/lib/audit/get-entry";
import { perform } from "@/lib/audit/perform";
import { prepareEntry } from "@/lib/audit/prepare-entry";
import { closeTrail, trail } from "@/lib/audit/trail";
import { trailStore } from "@/lib/audit/trail-store";
import { walkTrail } from "@/lib/audit/verify-trail";
import { newId, PLATFORM_TENANT_ID } from "@/lib/core/ids";
import { databaseUrl } from "@/lib/db/client";
import { inTenant } from "@/lib/db/in-tenant";
import { entryDraft } from "@/lib/testing/entry-draft";
import { createTestTenant, type TestTenant } from "@/lib/testing/factories";
import { withTestDatabase } from "@/lib/testing/test-database";

withTestDatabase();

/** Statements as the owner of the tables, who can do everything that the runtime role cannot. */
async function asOwner(...statements: readonly (readonly [string, ...unknown[]])[]): Promise<pg.QueryResult[]> {
  const client = new pg.Client({ connectionString: databaseUrl() });
  await client.connect();
  try {
    const results: pg.QueryResult[] = [];
    for (const [text, ...values] of statements) results.push(await client.query(text, values));
    return results;
  } finally {
    await client.end();
  }
}

/** Changes rows behind the trail's back: as the owner, row security and the trigger out of the way. */
async function tamper(...statements: readonly (readonly [string, ...unknown[]])[]): Promise<void> {
  const tables = ["audit_entries", "audit_heads"];
  const off = tables.map((table) => [`alter table ${table} no force row level security`] as const);
  const on = tables.map((table) => [`alter table ${table} force row level security`] as const);
  await asOwner(
    ...off,
    ["alter table audit_entries disable trigger append_only"],
    ...statements,
    ["alter table audit_entries enable trigger append_only"],
    ...on,
  );
}

const fill = (tenant: TestTenant, count: number) =>
  Promise.all(Array.from({ length: count }, () => trail().append(entryDraft(tenant.tenantId))));

afterAll(closeTrail);

describe("appending", () => {
  it("gives 500 parallel appends over three tenants gapless numbers and sound chains", async () => {
    const tenants = await Promise.all([createTestTenant(), createTestTenant(), createTestTenant()]);
    const appended = await Promise.all(
      Array.from({ length: 500 }, (_, at) => trail().append(entryDraft(tenants[at % 3]?.tenantId ?? ""))),
    );
    for (const [at, { tenantId }] of tenants.entries()) {
      const seqs = appended.filter((each) => each.tenantId === tenantId).map((each) => each.seq);
      expect(seqs.toSorted((a, b) => a - b)).toEqual(Array.from({ length: at === 2 ? 166 : 167 }, (_, n) => n + 1));
      expect(await walkTrail(tenantId)).toMatchObject({ valid: true, entries: seqs.length, firstBreak: null });
    }
  });

  it("follows a head that somebody else has moved since its own last batch", async () => {
    const { tenantId } = await createTestTenant();
    const append = async () => (await trailStore.write(tenantId, [await prepareEntry(entryDraft(tenantId))]))[0]?.seq;
    // The second and third go by what the one before left behind.
    expect([await append(), await append(), await append()]).toEqual([1, 2, 3]);
    await inTenant(tenantId, (tx) => appendInTransaction(tx, entryDraft(tenantId)));
    expect([await append(), await append(), await append()]).toEqual([5, 6, 7]);
    expect(await walkTrail(tenantId)).toMatchObject({ valid: true, entries: 7, firstBreak: null });
  });

  it("keeps one chain when several processes and verbs write to it at once", async () => {
    const { tenantId } = await createTestTenant();
    // Two stores are two processes: each locks the head in the database, nothing is shared in memory.
    const write = async (count: number) => {
      for (let at = 0; at < count; at += 1)
        await trailStore.write(tenantId, [await prepareEntry(entryDraft(tenantId))]);
    };
    await Promise.all([write(20), write(20), write(20)]);
    expect(await walkTrail(tenantId)).toMatchObject({ valid: true, entries: 60 });
  });

  it("takes what PostgreSQL text cannot hold", async () => {
    const tenant = await createTestTenant();
    const nasty = 'a\u0000b\ud800c\u202e"\\{},NULL\n';
    const { eventId } = await trail().append(
      entryDraft(tenant.tenantId, { tool: nasty, target: nasty, reason: nasty, payload: { arguments: { nasty } } }),
    );
    const entry = await perform(getEntry, tenant.ctx(), { id: eventId });
    expect(entry).toMatchObject({ hashValid: true, payload: { arguments: { nasty } }, payloadAccess: "shown" });
    expect(entry.tool).toBe(nasty.toWellFormed());
  });

  it("lets a poisoned entry fall alone, and the rest of its batch stand", async () => {
    const tenant = await createTestTenant();
    await fill(tenant, 1);
    const good = await Promise.all([1, 2, 3].map(async () => prepareEntry(entryDraft(tenant.tenantId))));
    const bad = await prepareEntry(entryDraft(tenant.tenantId));
    const poisoned = { ...bad, columns: { ...bad.columns, actorName: "never\u0000cleaned" } };
    // Control: the batch as a whole is refused by the database.
    const whole = trailStore.write(tenant.tenantId, [...good, poisoned]);
    await expect(whole).rejects.toSatisfy((cause) => trailStore.faultOf(cause) === "poisoned");
    const { EntrySequencer } = await import("@/lib/audit/sequencer");
    const limits = {
      maxBatch: 10,
      maxBatchBytes: 1e6,
      maxQueued: 10,
      maxQueuedBytes: 1e6,
      maxParallel: 1,
      maxTogether: 16,
      enough: 12,
      maxWaitMs: 5000,
      retryMs: 50,
    };
    const nothing = () => undefined;
    const sequencer = new EntrySequencer(trailStore, limits, { appended: nothing, fate: nothing, fault: nothing });
    const [first, second, third, fourth] = await Promise.allSettled(
      [good[0], poisoned, good[1], good[2]].map((entry) => sequencer.append(entry as typeof bad)),
    );
    expect([first, third, fourth].every((each) => each?.status === "fulfilled")).toBe(true);
    expect(second).toMatchObject({ status: "rejected", reason: { code: "audit_unavailable" } });
    expect(await walkTrail(tenant.tenantId)).toMatchObject({ valid: true, entries: 4 });
  });

  it("survives the loss of all its connections", async () => {
    const tenant = await createTestTenant();
    // The tenant is new: the loss meets the reading of its key as well as the writing of its entries.
    const cut = asOwner([
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'countersign' and datname = current_database()",
    ]);
    const [first, , more] = await Promise.allSettled([fill(tenant, 300), cut, cut.then(() => fill(tenant, 300))]);
    expect([first, more]).toMatchObject([{ status: "fulfilled" }, { status: "fulfilled" }]);
    const report = await walkTrail(tenant.tenantId);
    expect(report).toMatchObject({ valid: true, entries: 600 });
  });

  it("writes to the platform's own chain", async () => {
    const before = await walkTrail(PLATFORM_TENANT_ID);
    await trail().append(entryDraft(PLATFORM_TENANT_ID, { phase: "auth", eventType: "session.refused" }));
    expect(await walkTrail(PLATFORM_TENANT_ID)).toMatchObject({ valid: true, entries: before.entries + 1 });
  });
});

describe("append-only", () => {
  it.each(["countersign_tenant", "countersign_platform"])("%s can neither change nor delete", async (role) => {
    const tenant = await createTestTenant();
    await fill(tenant, 1);
    for (const statement of [
      "update audit_entries set tool = 'x'",
      "delete from audit_entries",
      "truncate audit_entries",
    ]) {
      await expect(asOwner(["begin"], [`set local role ${role}`], [statement])).rejects.toThrow(/permission denied/);
    }
  });

  it("refuses even the owner while the trigger is in place", async () => {
    const tenant = await createTestTenant();
    await fill(tenant, 1);
    const change = asOwner(
      ["begin"],
      ["alter table audit_entries no force row level security"],
      ["update audit_entries set tool = 'x' where tenant_id = $1", tenant.tenantId],
    );
    await expect(change).rejects.toThrow(/append-only/);
  });
});

/** Whoever can insert a copy of an outcome can do away with the index that would refuse it. */
const DROP_GUARDS = `do $$ declare name text; begin
  for name in select indexname from pg_indexes where indexname ~ '^audit_entries_.*_call_idx$' loop
    execute format('drop index %I', name);
  end loop; end $$`;

describe("verifying the stored trail", () => {
  let tenant: TestTenant;
  beforeAll(async () => {
    tenant = await createTestTenant();
    await asOwner([DROP_GUARDS]);
  });

  const onSeq = (change: string, seq: number) =>
    [`update audit_entries set ${change} where tenant_id = $1 and seq = ${seq}`, tenant.tenantId] as const;

  /** Changes something, sees that it is named, and puts it back, which must be sound again. */
  async function expectNamed(
    seq: number,
    problem: RegExp,
    change: readonly [string, ...unknown[]],
    keep = "audit_entries",
  ) {
    await tamper([`create table kept as select * from ${keep} where tenant_id = $1`, tenant.tenantId], change);
    try {
      const report = await walkTrail(tenant.tenantId);
      expect(report.valid).toBe(false);
      expect(report.firstBreak).toMatchObject({ seq, problem: expect.stringMatching(problem) });
    } finally {
      await tamper(
        [`delete from ${keep} where tenant_id = $1`, tenant.tenantId],
        [`insert into ${keep} select * from kept`],
        ["drop table kept"],
      );
    }
    expect(await walkTrail(tenant.tenantId)).toMatchObject({ valid: true });
  }

  it("holds when nobody touched it", async () => {
    await fill(tenant, 12);
    expect(await walkTrail(tenant.tenantId)).toMatchObject({ valid: true, entries: 12, fromSeq: 1, toSeq: 12 });
  });

  it("names a changed record", () =>
    expectNamed(5, /record was changed/, onSeq("record = set_byte(record, 40, (get_byte(record, 40) + 1) % 256)", 5)));
  it("names a changed record whose digest was changed with it", () =>
    expectNamed(
      5,
      /hash is not the hash/,
      onSeq(
        "record = convert_to(replace(convert_from(record, 'UTF8'), 'read_file', 'read_pile'), 'UTF8'), record_sha256 = sha256(convert_to(replace(convert_from(record, 'UTF8'), 'read_file', 'read_pile'), 'UTF8'))",
        5,
      ),
    ));
  it("names a column that no longer says what the record says", async () => {
    await expectNamed(6, /its outcome was changed/, onSeq("outcome = 'denied'", 6));
    await expectNamed(6, /its time was changed/, onSeq("ts = ts - interval '1 minute'", 6));
    await expectNamed(6, /its actor name was changed/, onSeq("actor_name = 'somebody-else'", 6));
    await expectNamed(6, /its search text was changed/, onSeq("search_text = ''", 6));
  });
  it("names a changed payload", () =>
    expectNamed(7, /sealed payload/, onSeq("payload = set_byte(payload, 20, (get_byte(payload, 20) + 1) % 256)", 7)));
  it("names a deleted entry", () =>
    expectNamed(4, /entry 4 is missing/, [
      "delete from audit_entries where tenant_id = $1 and seq = 4",
      tenant.tenantId,
    ]));
  it("names a deleted beginning", () =>
    expectNamed(1, /entries 1 to 3 are missing/, [
      "delete from audit_entries where tenant_id = $1 and seq <= 3",
      tenant.tenantId,
    ]));
  it("names a deleted end, which only the head remembers", () =>
    expectNamed(11, /entries 11 to 12 are missing at the end/, [
      "delete from audit_entries where tenant_id = $1 and seq > 10",
      tenant.tenantId,
    ]));
  it("names swapped entries", () =>
    expectNamed(3, /not follow|record was changed|hash/, [
      "update audit_entries set seq = case seq when 3 then 4 else 3 end where tenant_id = $1 and seq in (3, 4)",
      tenant.tenantId,
    ]));
  it("names an inserted copy", () =>
    expectNamed(8, /stands again/, [
      `insert into audit_entries select (jsonb_populate_record(e, jsonb_build_object('ts', e.ts + interval '1 second'))).*
         from audit_entries e where tenant_id = $1 and seq = 8`,
      tenant.tenantId,
    ]));
  it("names an entry inserted before the first", () =>
    expectNamed(-3, /stands again/, [
      `insert into audit_entries select (jsonb_populate_record(e, jsonb_build_object('seq', -3))).*
         from audit_entries e where tenant_id = $1 and seq = 8`,
      tenant.tenantId,
    ]));
  it("names an entry appended past the head", () =>
    expectNamed(13, /does not follow/, [
      `insert into audit_entries select (jsonb_populate_record(e, jsonb_build_object('seq', 13, 'ts', e.ts + interval '1 second'))).*
         from audit_entries e where tenant_id = $1 and seq = 12`,
      tenant.tenantId,
    ]));
  it("names a changed head", () =>
    expectNamed(
      12,
      /head/,
      ["update audit_heads set hash = sha256('x') where tenant_id = $1", tenant.tenantId],
      "audit_heads",
    ));

  it("will not start a new chain where the head vanished", async () => {
    const other = await createTestTenant();
    await fill(other, 2);
    await tamper(["delete from audit_heads where tenant_id = $1", other.tenantId]);
    await expect(trail().append(entryDraft(other.tenantId))).rejects.toMatchObject({ code: "audit_unavailable" });
  });

  it("cannot see a cut end whose head was rewritten with it: that takes an export kept elsewhere", async () => {
    const other = await createTestTenant();
    await fill(other, 5);
    await tamper(
      ["delete from audit_entries where tenant_id = $1 and seq > 3", other.tenantId],
      [
        "update audit_heads set seq = 3, hash = (select hash from audit_entries where tenant_id = $1 and seq = 3) where tenant_id = $1",
        other.tenantId,
      ],
    );
    expect(await walkTrail(other.tenantId)).toMatchObject({ valid: true, entries: 3 });
  });
});

describe("a call's bookkeeping", () => {
  it("counts open intents and closes them with their outcome", async () => {
    const { tenantId } = await createTestTenant();
    const callId = newId();
    const openBefore = trail().status().openCalls;
    await trail().append(
      entryDraft(tenantId, { callId, phase: "intent", eventType: "tool_call.started", outcome: "pending" }),
    );
    expect(trail().status().openCalls).toBe(openBefore + 1);
    expect(trail().openSince()).toBeLessThanOrEqual(Date.now());
    expect(await walkTrail(tenantId)).toMatchObject({ openIntents: 1 });
    await trail().append(entryDraft(tenantId, { callId }));
    expect(trail().status().openCalls).toBe(openBefore);
    expect(await walkTrail(tenantId)).toMatchObject({ openIntents: 0 });
  });

  it("never lets one tenant see another's entries", async () => {
    const [one, two] = await Promise.all([createTestTenant(), createTestTenant()]);
    const [entry] = await fill(one, 1);
    await expect(perform(getEntry, two.ctx(), { id: entry?.eventId })).rejects.toMatchObject({ code: "not_found" });
    expect(await inTenant(two.tenantId, (tx) => tx.auditEntry.count())).toBe(0);
  });
});
