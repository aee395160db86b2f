import { afterAll, expect, it } from "vitest";
import type { EntryDraft } from "@/lib/audit/entry";
import { closeTrail, makeTrail } from "@/lib/audit/trail";
import { walkTrail } from "@/lib/audit/verify-trail";
import { newId } from "@/lib/core/ids";
import { inTenant } from "@/lib/db/in-tenant";
import { createTestTenant } from "@/lib/testing/factories";
import { IMPATIENT, switchableStore } from "@/lib/testing/switchable-store";
import { withTestDatabase } from "@/lib/testing/test-database";

withTestDatabase();
afterAll(closeTrail);

const countsOf = (tenantId: string) =>
  inTenant(tenantId, async (tx) => {
    const rows = await tx.auditEntry.findMany({ where: { tenantId }, orderBy: { seq: "asc" } });
    return rows.map(({ record }) => JSON.parse(Buffer.from(record).toString()).count as number);
  });

it("writes an entry that is owed as soon as it can, once", async () => {
  const { tenantId } = await createTestTenant();
  const { state, store } = switchableStore();
  const own = makeTrail(store, IMPATIENT);
  const counted = (count: number): EntryDraft => ({
    ...{ tenantId, eventId: newId(), actor: { type: "agent", id: newId(), name: "bot" }, requestId: newId(), count },
    ...{ phase: "system", eventType: "call.limited", outcome: "denied" },
  });
  const [atOnce, later, unheard] = [counted(1), counted(2), counted(3)];
  await own.owe(atOnce);
  state.down = true;
  await own.owe(later);
  expect(await countsOf(tenantId)).toEqual([1]);
  state.down = false;
  await expect.poll(() => countsOf(tenantId), { timeout: 5_000 }).toEqual([1, 2]);
  // Written, and nobody said so.
  state.mute = true;
  await own.owe(unheard);
  state.mute = false;
  state.down = false;
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  expect(await countsOf(tenantId)).toEqual([1, 2, 3]);
  state.down = true;
  await own.owe(counted(4));
  state.down = false;
  await own.close();
  expect(await countsOf(tenantId)).toEqual([1, 2, 3, 4]);
  expect(await walkTrail(tenantId)).toMatchObject({ valid: true, entries: 4 });
});
