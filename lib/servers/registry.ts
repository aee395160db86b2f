import "server-only";
import { canonicalSha256 } from "@/lib/core/canonical-json";
import { logger } from "@/lib/core/logger";
import { type Soon, soon } from "@/lib/core/soon";
import { type TenantCache, tenantCache } from "@/lib/core/tenant-cache";
import { CALLS_WAIT_MS, tenantSql } from "@/lib/db/sql";
import { toCircuitRules, toPoolLimits } from "@/lib/servers/circuit-rules";
import { isUnopenable, openCredential } from "@/lib/servers/credential";
import { endpointOf } from "@/lib/servers/endpoint-of";
import type { RegisteredServer, RegisteredTool, ToolDefinition } from "@/lib/servers/registered-server";

type ServerRow = {
  id: string;
  slug: string;
  name: string;
  transport: string;
  url: string | null;
  command: string | null;
  args: string[];
  env: Record<string, string>;
  zones: string[];
  residency: string;
  deadline_ms: number;
  pool_size: number;
  capabilities?: unknown;
  circuit_policy: unknown;
  circuit_override: string | null;
  circuit_generation: number;
  pool_limits: unknown;
  tenant_zones: string[];
  credential: Buffer | null;
  credential_key_id: string | null;
  unavailable_since: Date | null;
};

type ToolRow = {
  server_id: string;
  name: string;
  title: string | null;
  description: string;
  input_schema: Record<string, unknown>;
  output_schema: Record<string, unknown> | null;
  annotations: ToolDefinition["annotations"] | null;
  definition_sha256: string;
  held_sha256: string | null;
  approved_at: Date | null;
};

export type ServersBySlug = ReadonlyMap<string, RegisteredServer>;
/** `leftOut`: servers whose credential cannot be opened. */
type Catalog = { readonly revision: string; readonly servers: ServersBySlug; readonly leftOut: ReadonlySet<string> };

const UNAVAILABLE = `(select h.since from server_health h
    where h.tenant_id = servers.tenant_id and h.server_id = servers.id and h.status = 'unavailable') as unavailable_since`;
const SERVERS = `select id, slug, name, transport, url, command, args, env, zones, residency, deadline_ms, pool_size,
    probe->'capabilities' as capabilities,
    circuit_policy, circuit_override, circuit_generation, pool_limits, credential, credential_key_id, ${UNAVAILABLE},
    (select t.zones from tenants t where t.id = tenant_id) as tenant_zones
  from servers where tenant_id = $1 and status = 'enabled' order by slug`;
const TOOLS = `select t.server_id, t.name, t.title, t.description, t.input_schema, t.output_schema, t.annotations,
    t.definition_sha256, t.held_sha256, t.approved_at
  from server_tools t join servers s on s.tenant_id = t.tenant_id and s.id = t.server_id
  where t.tenant_id = $1 and t.removed_at is null and s.status = 'enabled' order by t.name`;
// Every write to a tool also touches its server, so the servers' row versions tell whether anything changed; the
// tenant's zones decide the defaults of its circuits.
const REVISION = `select coalesce(md5(string_agg(id::text || xmin::text || updated_at::text, ',' order by id)), '')
    || coalesce((select t.zones::text from tenants t where t.id = $1), '')
    || coalesce((select string_agg(h.server_id::text || h.since::text, ',' order by h.server_id) from server_health h
        where h.tenant_id = $1 and h.status = 'unavailable'), '') as revision
  from servers where tenant_id = $1`;

function toTool(row: ToolRow): RegisteredTool {
  const definition: ToolDefinition = {
    name: row.name,
    ...(row.title === null ? {} : { title: row.title }),
    description: row.description,
    inputSchema: row.input_schema,
    ...(row.output_schema === null ? {} : { outputSchema: row.output_schema }),
    ...(row.annotations == null ? {} : { annotations: row.annotations }),
  };
  const held = row.held_sha256 === null ? {} : ({ held: row.approved_at === null ? "unseen" : "pinned" } as const);
  return { definition, sha256: row.definition_sha256, ...held };
}

async function toServer(tenantId: string, row: ServerRow, tools: readonly ToolRow[]): Promise<RegisteredServer> {
  const endpoint = endpointOf(row);
  const sealed = row.credential?.toString("base64") ?? "";
  const pool = toPoolLimits(row.pool_limits);
  return {
    tenantId,
    id: row.id,
    slug: row.slug,
    name: row.name,
    endpoint,
    credential: await openCredential(tenantId, row.id, row.credential_key_id, row.credential),
    zones: row.zones,
    residency: row.residency,
    deadlineMs: row.deadline_ms,
    poolSize: row.pool_size,
    capabilities: Array.isArray(row.capabilities) ? row.capabilities : [],
    circuit: toCircuitRules(row),
    pool,
    tools: new Map(tools.filter((tool) => tool.server_id === row.id).map((tool) => [tool.name, toTool(tool)])),
    ...(row.unavailable_since === null ? {} : { unavailableSince: row.unavailable_since.toISOString() }),
    version: canonicalSha256({ endpoint, sealed, poolSize: row.pool_size, pool }),
  };
}

async function load(tenantId: string, previous: Catalog | undefined): Promise<Catalog> {
  const read = await tenantSql(
    tenantId,
    async (client) => {
      const revision = (await client.query<{ revision: string }>(REVISION, [tenantId])).rows[0]?.revision ?? "";
      if (revision === previous?.revision) return null;
      const servers = await client.query<ServerRow>(SERVERS, [tenantId]);
      const tools = await client.query<ToolRow>(TOOLS, [tenantId]);
      return { revision, servers: servers.rows, tools: tools.rows };
    },
    // A catalog may have thousands of tools.
    3 * CALLS_WAIT_MS,
  );
  if (read === null && previous !== undefined) return previous;
  const leftOut = new Set<string>();
  const servers = await Promise.all(
    (read?.servers ?? []).map((row) =>
      toServer(tenantId, row, read?.tools ?? []).catch((cause: unknown) => {
        if (!isUnopenable(cause)) throw cause;
        leftOut.add(row.id);
        const isTold = previous?.leftOut.has(row.id) === true;
        if (!isTold)
          logger.error(
            { err: cause, tenantId, server: row.slug },
            "a server is left out: its credential cannot be opened",
          );
        return null;
      }),
    ),
  );
  const known = servers.flatMap((server) => (server === null ? [] : [[server.slug, server] as const]));
  // Where one was left out nothing is taken for read: what was at fault may be well again with the same rows.
  const revision = leftOut.size === 0 ? (read?.revision ?? "") : "";
  return { revision, servers: new Map(known), leftOut };
}

const cache = (): TenantCache<Catalog> =>
  tenantCache("servers", { load, dropOn: ({ topic }) => topic === "server.changed" || topic === "tenant.changed" });

/** The servers agents may reach, by slug, with open credentials; at most two seconds old. */
export const enabledServers = (tenantId: string): Soon<ServersBySlug> =>
  soon(cache().get(tenantId), ({ servers }) => servers);

const ONE_SERVER = `select id, slug, name, transport, url, command, args, env, zones, residency, deadline_ms, pool_size,
    circuit_policy, circuit_override, circuit_generation, pool_limits, credential, credential_key_id, ${UNAVAILABLE},
    (select t.zones from tenants t where t.id = tenant_id) as tenant_zones
  from servers where tenant_id = $1 and id = $2`;
const ITS_TOOLS = `select server_id, name, title, description, input_schema, output_schema, annotations, definition_sha256,
    held_sha256, approved_at
  from server_tools where tenant_id = $1 and server_id = $2 and removed_at is null order by name`;

/** One server whatever its status, for those who need it before agents may reach it, or afterwards. Read anew each time. */
export async function serverForTrial(tenantId: string, id: string): Promise<RegisteredServer | null> {
  const { row, tools } = await tenantSql(tenantId, async (client) => ({
    row: (await client.query<ServerRow>(ONE_SERVER, [tenantId, id])).rows[0],
    tools: (await client.query<ToolRow>(ITS_TOOLS, [tenantId, id])).rows,
  }));
  return row === undefined ? null : toServer(tenantId, row, tools);
}
