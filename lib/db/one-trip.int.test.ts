import { describe, expect, it } from "vitest";
import { pool } from "@/lib/db/client";
import { oneTrip, sharedTrip } from "@/lib/db/one-trip";
import { platformSql } from "@/lib/db/sql";
import { createTestTenant } from "@/lib/testing/factories";
import { withTestDatabase } from "@/lib/testing/test-database";

withTestDatabase();

const WHO = { name: "test_who", text: "select current_user || ' ' || current_setting('app.tenant_id') || ' ' || $1" };
const COUNT = { name: "test_count", text: "select count(*)::text from tenants where id <> $1::uuid" };
const BROKEN = { name: "test_broken", text: "select (1 / ($1::int - 1))::text" };

describe("one trip", () => {
  it("runs as the tenant's role in the tenant, first time and again", async () => {
    const { tenantId } = await createTestTenant();
    for (const word of ["first", "ünd", "x".repeat(400_000)]) {
      expect(await oneTrip(tenantId, WHO, [word])).toBe(`countersign_tenant ${tenantId} ${word}`);
    }
  });

  it("leaves a session that is nobody's", async () => {
    const { tenantId } = await createTestTenant();
    const sessions: number[] = [];
    await oneTrip(tenantId, WHO, ["x"], (client) => sessions.push((client as { processID?: number }).processID ?? 0));
    const client = await pool().connect();
    const { rows } = await client.query(
      "select pg_backend_pid() as pid, current_user = session_user as itself, coalesce(current_setting('app.tenant_id', true), '') as tenant",
    );
    client.release();
    expect(rows[0]).toEqual({ pid: sessions[0], itself: true, tenant: "" });
  });

  it("sees no other tenant's rows", async () => {
    const [own] = await Promise.all([createTestTenant(), createTestTenant()]);
    expect(await oneTrip(own.tenantId, COUNT, [own.tenantId])).toBe("0");
    // Control: there are others.
    const { rows } = await platformSql((client) =>
      client.query<{ n: number }>("select count(*)::int as n from tenants"),
    );
    expect(rows[0]?.n).toBeGreaterThanOrEqual(2);
  });

  it("tells what failed and does not use that session again", async () => {
    const { tenantId } = await createTestTenant();
    let failed = 0;
    const take = (client: object) => {
      failed = (client as { processID?: number }).processID ?? 0;
    };
    await expect(oneTrip(tenantId, BROKEN, ["1"], take)).rejects.toMatchObject({ code: "22012" });
    expect(await oneTrip(tenantId, BROKEN, ["2"])).toBe("1");
    const { rows } = await pool().query<{ pid: number }>("select pg_backend_pid() as pid");
    expect(rows[0]?.pid).not.toBe(failed);
  });

  it("runs statements of several tenants, each in its own, and answers each", async () => {
    const [first, second] = await Promise.all([createTestTenant(), createTestTenant()]);
    const step = ({ tenantId }: { tenantId: string }, word: string) => ({ tenantId, statement: WHO, values: [word] });
    const none = {
      tenantId: first.tenantId,
      statement: { name: "test_none", text: "select 1 where $1 = ''" },
      values: ["x"],
    };
    const answers = await sharedTrip([step(first, "a"), none, step(second, "b"), step(first, "c")]);
    const who = `countersign_tenant ${first.tenantId}`;
    expect(answers).toEqual([`${who} a`, null, `countersign_tenant ${second.tenantId} b`, `${who} c`]);
  });
});
