import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { appendInTransaction } from "@/lib/audit/append-in-transaction";
import { prepareEntry } from "@/lib/audit/prepare-entry";
import { closeTrail, trail } from "@/lib/audit/trail";
import { trailStore } from "@/lib/audit/trail-store";
import { walkTrail } from "@/lib/audit/verify-trail";
import { inTenant } from "@/lib/db/in-tenant";
import { tenantSql } from "@/lib/db/sql";
import { entryDraft } from "@/lib/testing/entry-draft";
import { createTestTenant } from "@/lib/testing/factories";
import { holdHead } from "@/lib/testing/hold-head";
import { withTestDatabase } from "@/lib/testing/test-database";

withTestDatabase();
afterAll(closeTrail);

const prepared = (tenantId: string, count: number) =>
  Promise.all(Array.from({ length: count }, async () => prepareEntry(entryDraft(tenantId))));

let tenants: string[];
/** Of three tenants whose heads this process knows. */
beforeEach(async () => {
  tenants = (await Promise.all([createTestTenant(), createTestTenant(), createTestTenant()])).map((t) => t.tenantId);
  for (const tenantId of tenants) await trailStore.write(tenantId, await prepared(tenantId, 1));
});

const batches = (...counts: number[]) =>
  Promise.all(tenants.map(async (tenantId, at) => ({ tenantId, entries: await prepared(tenantId, counts[at] ?? 1) })));
const seqs = (written: Awaited<ReturnType<typeof trailStore.writeTogether>>) =>
  written.map((appended) => appended?.map(({ seq }) => seq) ?? null);
const lengths = () =>
  Promise.all(
    tenants.map(async (tenantId) => {
      const { valid, entries } = await walkTrail(tenantId);
      return valid ? entries : "broken";
    }),
  );

describe("the batches of several tenants in one transaction", () => {
  it("continue each tenant's own chain, with one commit", async () => {
    expect(seqs(await trailStore.writeTogether(await batches(2, 1, 3)))).toEqual([[2, 3], [2], [2, 3, 4]]);
    expect(seqs(await trailStore.writeTogether(await batches(1, 1, 1)))).toEqual([[4], [3], [5]]);
    expect(await lengths()).toEqual([4, 3, 5]);
    const transactions = await Promise.all(
      tenants.map((tenantId) =>
        tenantSql(tenantId, (client) =>
          client.query<{ xmin: string }>("select xmin::text from audit_entries where tenant_id = $1 and seq > 1", [
            tenantId,
          ]),
        ),
      ),
    );
    expect(new Set(transactions.flatMap(({ rows }) => rows.map(({ xmin }) => xmin))).size).toBe(2);
  });

  it("leave out the one whose head was moved, which goes on alone", async () => {
    const [, moved = ""] = tenants;
    await inTenant(moved, (tx) => appendInTransaction(tx, entryDraft(moved)));
    const all = await batches(1, 1, 1);
    expect(seqs(await trailStore.writeTogether(all))).toEqual([[2], null, [2]]);
    expect((await trailStore.write(moved, all[1]?.entries ?? []))[0]?.seq).toBe(3);
    expect(await lengths()).toEqual([2, 3, 2]);
  });

  it("wait for nobody who holds one of the heads", async () => {
    const [held = "", ...free] = tenants;
    const letGo = await holdHead(held);
    try {
      expect(seqs(await trailStore.writeTogether(await batches(1, 1, 1)))).toEqual([null, [2], [2]]);
      const waits = trail().append(entryDraft(held));
      const others = Promise.all(free.map((tenantId) => trail().append(entryDraft(tenantId))));
      expect((await others).map(({ seq }) => seq)).toEqual([3, 3]);
      await letGo();
      expect((await waits).seq).toBe(2);
    } finally {
      await letGo().catch(() => undefined);
    }
    expect(await lengths()).toEqual([2, 3, 3]);
  });

  it("are all refused with the one that the database does not take, and then each stands for itself", async () => {
    const all = await batches(1, 1, 1);
    const [first, second, third] = all;
    const [bad] = second?.entries ?? [];
    if (first === undefined || bad === undefined || third === undefined) throw new Error("no entries");
    const poisoned = { ...bad, columns: { ...bad.columns, actorName: "never\u0000cleaned" } };
    const together = trailStore.writeTogether([first, { tenantId: bad.tenantId, entries: [poisoned] }, third]);
    await expect(together).rejects.toSatisfy((cause) => trailStore.faultOf(cause) === "poisoned");
    expect(await lengths()).toEqual([1, 1, 1]);
    for (const { tenantId, entries } of [first, third]) await trailStore.write(tenantId, entries);
    expect(await lengths()).toEqual([2, 1, 2]);
  });

  it("are written so by the trail itself, under many callers", async () => {
    const appends = Array.from({ length: 300 }, (_, at) => trail().append(entryDraft(tenants[at % 3] ?? "")));
    await Promise.all(appends);
    expect(await lengths()).toEqual([101, 101, 101]);
  });
});
