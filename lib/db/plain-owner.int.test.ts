import { randomBytes } from "node:crypto";
import pg from "pg";
import { beforeAll, describe, expect, it } from "vitest";
import { prisma } from "@/lib/db/client";
import { inTenant } from "@/lib/db/in-tenant";
import { migrate } from "@/lib/db/migrate";
import { closeDatabase, openDatabase } from "@/lib/db/open-database";
import { env } from "@/lib/env";
import { createTestAgent, createTestTenant } from "@/lib/testing/factories";
import { onServer, withFreshDatabase } from "@/lib/testing/fresh-database";

// On a real installation the login is the owner of one database and no superuser.
let server = "";
let newerThan15 = false;

beforeAll(async () => {
  server = env().DATABASE_URL ?? "";
  const { rows } = await onServer(server, "select current_setting('server_version_num')::int >= 160000 as newer");
  newerThan15 = rows[0]?.newer === true;
});

async function asPlainOwner(granted: boolean, work: (url: string) => Promise<void>): Promise<void> {
  const login = `cs_owner_${randomBytes(4).toString("hex")}`;
  await onServer(server, `create role ${login} login createrole password 'only-for-this-test'`);
  // PostgreSQL 16 and newer let a login hand out only roles it made or was given to administer.
  const roles = "countersign_tenant, countersign_platform";
  if (granted) await onServer(server, `grant ${roles} to ${login}`);
  try {
    await withFreshDatabase(
      server,
      async (fresh) => {
        const url = new URL(fresh);
        url.username = login;
        url.password = "only-for-this-test";
        await work(url.href);
      },
      { owner: login },
    );
  } finally {
    if (granted || !newerThan15) await onServer(server, `revoke ${roles} from ${login}`);
    await onServer(server, `drop role ${login}`);
  }
}

describe("a login that owns the database and is no superuser", () => {
  it("migrates, passes the checks and runs tenant transactions", async () => {
    await asPlainOwner(newerThan15, async (url) => {
      const opened = await openDatabase({ url });
      try {
        expect(opened.migrated.length).toBeGreaterThan(0);
        const tenant = await createTestTenant();
        const { agentId } = await createTestAgent(tenant, ["files:read"]);
        await inTenant(tenant.tenantId, async (tx) => {
          expect(await tx.user.count()).toBe(1);
          // The foreign keys of the database do their work although the owner itself is bound by row security.
          await tx.agent.delete({ where: { tenantId_id: { tenantId: tenant.tenantId, id: agentId } } });
          expect(await tx.agentKey.count()).toBe(0);
        });
        // FORCE: outside of a tenant transaction even the owner sees no tenant's rows.
        expect(await prisma().agent.updateMany({ data: { name: "changed" } })).toEqual({ count: 0 });
        expect(await prisma().server.count()).toBe(0);
      } finally {
        await closeDatabase();
      }
      expect(await migrate(url)).toEqual([]);
    });
  });

  it("is told what to ask for when it may not use the roles", async () => {
    if (!newerThan15) return;
    await asPlainOwner(false, async (url) => {
      await expect(migrate(url)).rejects.toThrow(/may not act as the role countersign_tenant/);
    });
  });

  it("cannot change the trail without first dropping its guard", async () => {
    await asPlainOwner(newerThan15, async (url) => {
      await migrate(url);
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      try {
        await expect(client.query("truncate audit_entries")).rejects.toThrow(/append-only/);
        expect((await client.query("delete from audit_entries")).rowCount).toBe(0);
      } finally {
        await client.end();
      }
    });
  });
});
