import pg from "pg";
import { afterEach, expect, it, vi } from "vitest";
import { inTenant } from "@/lib/db/in-tenant";
import { createTestAgent, createTestTenant } from "@/lib/testing/factories";
import { withTestDatabase } from "@/lib/testing/test-database";

withTestDatabase();
afterEach(() => vi.restoreAllMocks());

/** How many queries there were, and how many at once of one connection at most. */
function watchQueries() {
  const running = new WeakMap<object, number>();
  const seen = { queries: 0, most: 0 };
  const all = pg.Client.prototype as unknown as { query: (this: object, ...given: unknown[]) => unknown };
  const { query } = all;
  const watched = function (this: object, ...given: unknown[]): unknown {
    const now = (running.get(this) ?? 0) + 1;
    running.set(this, now);
    seen.queries += 1;
    seen.most = Math.max(seen.most, now);
    const done = () => void running.set(this, (running.get(this) ?? 1) - 1);
    const answer = query.apply(this, given);
    if (answer instanceof Promise) answer.then(done, done);
    else done();
    return answer;
  };
  vi.spyOn(all, "query").mockImplementation(watched);
  return seen;
}

it("a connection is asked one thing at a time, also where Prisma reads several relations of a row", async () => {
  const tenant = await createTestTenant();
  const agent = await createTestAgent(tenant, ["files:read"]);
  const { tenantId } = tenant;
  const seen = watchQueries();
  const parts = { owner: true, roles: { include: { role: true } }, keys: true };
  const where = { tenantId_id: { tenantId, id: agent.agentId } };
  const found = await inTenant(tenantId, (tx) => tx.agent.findUnique({ where, include: parts }));
  expect(found?.keys[0]?.id).toBe(agent.keyId);
  expect(found?.roles[0]?.role.permissions).toEqual(["files:read"]);
  expect(seen.queries).toBeGreaterThan(4);
  expect(seen.most).toBe(1);
});

it("a query that fails leaves the next of its transaction its turn", async () => {
  const { tenantId } = await createTestTenant();
  const asked = inTenant(tenantId, async (tx) => {
    const [failed, next] = await Promise.allSettled([tx.$queryRaw`select 1/0`, tx.$queryRaw`select 1`]);
    return [failed, next].map((each) => (each.status === "rejected" ? String(each.reason) : each.status));
  });
  await expect(asked).resolves.toEqual([expect.stringContaining("division by zero"), "fulfilled"]);
});
