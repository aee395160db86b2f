import pg from "pg";
import { databaseUrl } from "@/lib/db/client";

/** Keeps the head of a tenant's chain, as a transaction of another process does, until it is let go. */
export async function holdHead(tenantId: string): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: databaseUrl() });
  await client.connect();
  await client.query("begin");
  await client.query("select set_config('role', 'countersign_tenant', true), set_config('app.tenant_id', $1, true)", [
    tenantId,
  ]);
  const { rowCount } = await client.query("select 1 from audit_heads where tenant_id = $1 for update", [tenantId]);
  if (rowCount !== 1) throw new Error("This chain has no head yet.");
  return async () => {
    await client.query("rollback");
    await client.end();
  };
}
