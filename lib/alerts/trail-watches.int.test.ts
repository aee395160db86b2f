import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { judgeTenant } from "@/lib/alerts/judge-tenant";
import { listAlerts } from "@/lib/alerts/read";
import { SIGNAL_MS, tellSignals } from "@/lib/alerts/signals";
import { TURN_MS } from "@/lib/alerts/turns";
import { perform } from "@/lib/audit/perform";
import { closeTrail, makeTrail, type Trail } from "@/lib/audit/trail";
import { trailStore } from "@/lib/audit/trail-store";
import { verifyTrail } from "@/lib/audit/verify-trail";
import { newId } from "@/lib/core/ids";
import { databaseUrl } from "@/lib/db/client";
import { createTestTenant, type TestTenant } from "@/lib/testing/factories";
import { withTestDatabase } from "@/lib/testing/test-database";

withTestDatabase();

let tenant: TestTenant;
let trail: Trail;
let owner: pg.Client;
let now = 0;

beforeAll(async () => {
  owner = new pg.Client({ connectionString: databaseUrl() });
  await owner.connect();
  // The same trail, with less patience.
  const limits = { maxBatch: 100, maxBatchBytes: 1_000_000, maxQueued: 1_000, maxQueuedBytes: 10_000_000 };
  trail = makeTrail(trailStore, {
    ...limits,
    maxParallel: 2,
    maxTogether: 16,
    enough: 12,
    maxWaitMs: 2_500,
    retryMs: 50,
  });
});
afterAll(async () => {
  await trail.close();
  await closeTrail();
  await owner.end();
});
beforeEach(async () => {
  tenant = await createTestTenant();
  now = Date.now();
});

const append = () =>
  trail.append({
    ...{ tenantId: tenant.tenantId, phase: "admin", eventType: "test.made", outcome: "success", requestId: newId() },
    actor: { type: "user", id: newId(), name: "Ann" },
  });
/** On a busy machine even this may take longer than the patience of this trail. */
const entryLands = () => expect.poll(() => append().then(Boolean, () => false), { timeout: 20_000 }).toBe(true);
const alerts = async () => (await perform(listAlerts, tenant.ctx(), { state: "all" })).items;

async function rounds(count = 1): Promise<void> {
  for (let done = 0; done < count; done += 1) {
    now += TURN_MS;
    await tellSignals(now);
    expect(await judgeTenant(tenant.tenantId, now)).toBe(true);
  }
}

describe("a trail that does not verify", () => {
  /** As somebody with the keys to the database would: the trigger out of the way. */
  async function tamper(change: string): Promise<void> {
    await owner.query("begin");
    await owner.query("alter table audit_entries disable trigger append_only");
    await owner.query(`update audit_entries set record = ${change} where tenant_id = $1 and seq = 1`, [
      tenant.tenantId,
    ]);
    await owner.query("alter table audit_entries enable trigger append_only");
    await owner.query("commit");
  }

  it("is told from the verification that found it until one finds it whole", async () => {
    await entryLands();
    await tamper("record || ' '::bytea");
    expect((await perform(verifyTrail, tenant.ctx(), {})).valid).toBe(false);
    await rounds();
    const [alert] = await alerts();
    expect(alert).toMatchObject({
      ...{ watch: "verification_failed", state: "firing", severity: "critical", server: null, target: "the trail" },
      reason: expect.stringMatching(/^The trail did not verify at \S+\. Entry 1: .+\.$/),
    });
    await perform(verifyTrail, tenant.ctx(), {});
    await rounds();
    expect(await alerts()).toMatchObject([{ state: "firing", since: alert?.since }]);
    await tamper("substr(record, 1, length(record) - 1)");
    expect((await perform(verifyTrail, tenant.ctx(), {})).valid).toBe(true);
    await rounds();
    expect(await alerts()).toMatchObject([{ state: "resolved", reason: "The trail verifies again." }]);
  });
});

describe("a trail that takes no entries", () => {
  it("is told with since when, how long and why, and until entries are written in time again", async () => {
    await entryLands();
    // Whoever holds the head of a chain keeps this tenant from writing, and nobody else.
    await owner.query("begin");
    await owner.query("select 1 from audit_heads where tenant_id = $1 for update", [tenant.tenantId]);
    const refused = await Promise.allSettled([append(), append(), append()]);
    expect(refused.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    await owner.query("rollback");
    await rounds();
    const [alert] = await alerts();
    expect(alert).toMatchObject({ watch: "trail_failing", state: "firing", severity: "critical", target: "the trail" });
    expect(alert?.reason).toMatch(
      /^Entries of the trail had to wait for \d+\.\d s from \S+Z: they waited too long for the database\. Of them \d+ could not be written/,
    );
    expect(Date.parse(alert?.since ?? "")).toBeLessThan(Date.parse(alert?.firedAt ?? ""));
    await entryLands();
    await tellSignals(now);
    now += SIGNAL_MS + 20_000;
    await rounds(2);
    expect(await alerts()).toMatchObject([{ state: "firing" }]);
    await rounds();
    expect(await alerts()).toMatchObject([{ state: "resolved" }]);
  });

  it("is kept while the database takes nothing at all, and told afterwards", async () => {
    await entryLands();
    await owner.query("begin");
    await owner.query("select 1 from audit_heads where tenant_id = $1 for update", [tenant.tenantId]);
    await owner.query("lock table alert_signals in access exclusive mode");
    await append().catch(() => undefined);
    // What was seen cannot be told: the round waits, and nothing is forgotten.
    const telling = tellSignals(now);
    await append().catch(() => undefined);
    await owner.query("rollback");
    await telling;
    await rounds();
    expect(await alerts()).toMatchObject([{ watch: "trail_failing", state: "firing" }]);
  });
});
