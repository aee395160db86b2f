import { describe, expect, it } from "vitest";
import { newId } from "@/lib/core/ids";
import { tenantSql } from "@/lib/db/sql";
import { makeEndedSessions } from "@/lib/gateway/ended-sessions";
import { createTestTenant } from "@/lib/testing/factories";
import { withTestDatabase } from "@/lib/testing/test-database";

withTestDatabase();

async function tenantWithEnded(count: number) {
  const { tenantId } = await createTestTenant();
  const ids = Array.from({ length: count }, newId);
  const sql = `insert into ended_sessions (tenant_id, id, ended_at, expires_at)
    select $1, id, now() - nth * interval '1 minute', now() + interval '1 hour' from unnest($2::uuid[]) with ordinality as s(id, nth)`;
  await tenantSql(tenantId, (client) => client.query(sql, [tenantId, ids]));
  return { tenantId, ids };
}

describe("an ended session", () => {
  it.each([
    ["than memory holds", 4, 100],
    ["than one read brings", 100, 4],
  ])("stays ended when more have ended %s", async (_what, maxRemembered, maxRead) => {
    const { tenantId, ids } = await tenantWithEnded(10);
    const { isEnded } = makeEndedSessions(maxRemembered, maxRead);
    for (const id of [...ids, ...ids]) expect(await isEnded(tenantId, id)).toBe(true);
    const live = newId();
    for (let time = 0; time < 2; time += 1) expect(await isEnded(tenantId, live)).toBe(false);
  });
});
