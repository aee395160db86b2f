import "server-only";
import { readLatestVersion } from "@/lib/access/map-versions";
import type { TenantTx } from "@/lib/db/in-tenant";
import { circuitOf, poolOf } from "@/lib/servers/circuit-views";
import { isUnopenable, openCredential } from "@/lib/servers/credential";
import { makeNeighbours, type Neighbours } from "@/lib/servers/definition-warnings";
import { requireServer, type ServerRow } from "@/lib/servers/internal";
import type { ServerDetail } from "@/lib/servers/schemas";
import { type ServerFacts, toServerDetail } from "@/lib/servers/views";

/** The names in a sealed credential; the values stay behind. One that cannot be opened must not hide its server. */
export async function credentialNames(row: ServerRow): Promise<readonly string[]> {
  try {
    const opened = await openCredential(row.tenantId, row.id, row.credentialKeyId, row.credential);
    return Object.keys(opened ?? {}).sort();
  } catch (cause) {
    if (!isUnopenable(cause)) throw cause;
    return ["cannot be opened"];
  }
}

/** What the views of a row need besides it. */
export async function serverFacts(row: ServerRow, rules: ServerFacts["rules"]): Promise<ServerFacts> {
  const { credential: _sealed, credentialKeyId: _keyId, ...open } = row;
  const circuit = circuitOf(row.tenantId)(row);
  const pool = poolOf(row.tenantId)(row.slug);
  return { row: open, credentialNames: await credentialNames(row), rules, circuit, pool };
}

/** A server with its tools, as it is in this transaction. */
export async function readServerDetail(tx: TenantTx, tenantId: string, id: string): Promise<ServerDetail> {
  const row = await requireServer(tx, tenantId, id);
  const { rules } = await readLatestVersion(tx, tenantId);
  const listed = await tx.serverTool.findMany({ where: { tenantId, serverId: id }, orderBy: { name: "asc" } });
  const tools = listed.filter(({ removedAt }) => removedAt === null);
  const health = await tx.serverHealth.findUnique({ where: { tenantId_serverId: { tenantId, serverId: id } } });
  const waiting = tools.some((tool) => tool.approvedAt === null || tool.heldSha256 !== null);
  const pinned = {
    health,
    neighbours: waiting ? await neighboursOf(tx, tenantId) : makeNeighbours([]),
    removed: listed,
  };
  return toServerDetail({ ...(await serverFacts(row, rules)), ...pinned }, tools);
}

/** Every tool of the tenant: what a definition may speak of, or be named like. */
async function neighboursOf(tx: TenantTx, tenantId: string): Promise<Neighbours> {
  const rows = await tx.serverTool.findMany({
    where: { tenantId, removedAt: null },
    select: { name: true, server: { select: { slug: true } } },
  });
  return makeNeighbours(rows.map(({ name, server }) => ({ server: server.slug, tool: name })));
}

/** What of a server stands in the trail: everything that decides how it is reached, no secret. */
export function auditedServer(server: ServerDetail) {
  const { slug, name, transport, address, status, zones, residency, deadlineMs, poolSize } = server;
  const { credentialNames: names, toolCount, circuitPolicy, poolLimits } = server;
  return {
    slug,
    name,
    transport,
    address,
    status,
    zones,
    residency,
    deadlineMs,
    poolSize,
    circuitPolicy,
    poolLimits,
    credentialNames: names,
    toolCount,
  };
}
