import "server-only";
import type { PermissionMap } from "@/lib/access/decide";
import { canonicalSha256 } from "@/lib/core/canonical-json";
import type { Soon } from "@/lib/core/soon";
import { type TenantCache, tenantCache } from "@/lib/core/tenant-cache";
import { CALLS_WAIT_MS, tenantSql } from "@/lib/db/sql";

/** The stored document: `<server>/<tool>` to permission. */
export type PermissionRules = Readonly<Record<string, string>>;

/** Version 0: nothing is mapped, so everything needs `admin:*`. */
export const EMPTY_RULES: PermissionRules = {};

/** The key of a tool in the document. Server slugs hold no slash, so the first one separates. */
export const ruleKey = (server: string, tool: string): string => `${server}/${tool}`;

/** The reverse of `ruleKey`. */
export function parseRuleKey(key: string): { readonly server: string; readonly tool: string } {
  const slash = key.indexOf("/");
  return { server: key.slice(0, slash), tool: key.slice(slash + 1) };
}

/** The digest by which entries name the policy they were decided under. */
export const rulesSha256 = (rules: PermissionRules): string => canonicalSha256(rules);

/** The document as `decide()` reads it. */
export function toPermissionMap(version: number, sha256: string, rules: PermissionRules): PermissionMap {
  // A Map, because a tool may be called "constructor".
  const entries = new Map(Object.entries(rules));
  return { version, sha256, get: (server, tool) => entries.get(ruleKey(server, tool)) };
}

type Row = { version: number; sha256: string; map: PermissionRules };

async function load(tenantId: string, previous: PermissionMap | undefined): Promise<PermissionMap> {
  const rows = await tenantSql(
    tenantId,
    async (client) => {
      // Versions are append-only, so the document of a version that is already here need not travel again.
      const known = previous?.version ?? -1;
      const { rows: found } = await client.query<Row>(
        `select version, sha256, case when version = $2 then null else map end as map
         from permission_map_versions where tenant_id = $1 order by version desc limit 1`,
        [tenantId, known],
      );
      return found;
    },
    CALLS_WAIT_MS,
  );
  const row = rows[0];
  if (row === undefined) return toPermissionMap(0, rulesSha256(EMPTY_RULES), EMPTY_RULES);
  if (previous?.version === row.version && previous.sha256 === row.sha256) return previous;
  return toPermissionMap(row.version, row.sha256, row.map ?? EMPTY_RULES);
}

const cache = (): TenantCache<PermissionMap> =>
  tenantCache("permission-map", { load, dropOn: (message) => message.topic === "permission_map.changed" });

/** The map in force, at most two seconds old; dropped at once when it is changed in this process or announced. */
export const currentPermissionMap = (tenantId: string): Soon<PermissionMap> => cache().get(tenantId);
