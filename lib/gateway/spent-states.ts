import "server-only";
import { tenantSql } from "@/lib/db/sql";

/** Marks something as used, for all processes; false when it was used before. What has expired anyway is forgotten. */
export const spendOnce = (tenantId: string, id: string, expiresAt: Date): Promise<boolean> =>
  tenantSql(tenantId, async (client) => {
    await client.query("delete from spent_states where tenant_id = $1 and expires_at < now()", [tenantId]);
    const { rowCount } = await client.query(
      "insert into spent_states (tenant_id, id, expires_at) values ($1, $2, $3) on conflict do nothing",
      [tenantId, id, expiresAt],
    );
    return rowCount === 1;
  });
