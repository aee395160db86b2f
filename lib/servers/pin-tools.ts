import "server-only";
import type { TenantTx } from "@/lib/db/in-tenant";
import type { Prisma, ServerTool } from "@/lib/generated/prisma/client";
import { MAX_ITEMS } from "@/lib/mcp/upstream/list-pages";
import { definitionColumns, type HeldDefinition, toHeld } from "@/lib/servers/pinned-definition";
import type { ProbedTool } from "@/lib/servers/schemas";

type Changed = { readonly name: string; readonly before: string | null; readonly after: string };
export type ToolChanges = {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** Tools that are defined anew, with both digests; nothing of them had to be kept. */
  readonly changed: readonly Changed[];
  /** Tools whose definition is held from now on, with what was approved. */
  readonly held: readonly Changed[];
  /** Tools that were held and say again what was approved. */
  readonly restored: readonly string[];
};
export const NO_CHANGES: ToolChanges = { added: [], removed: [], changed: [], held: [], restored: [] };

type Place = { readonly tenantId: string; readonly serverId: string };
type Stored = ServerTool;
type Noted = { -readonly [K in keyof ToolChanges]: ToolChanges[K][number][] };
type NewRow = Omit<Prisma.ServerToolCreateManyInput, "tenantId" | "serverId" | "firstSeenAt">;
/** What is to be written, gathered: a statement per tool would hold the server's row for seconds. */
type Writes = {
  readonly created: (NewRow & { readonly firstSeenAt: Date })[];
  /** Rows of these names are written anew, and are among the created. */
  readonly replaced: string[];
  readonly held: ProbedTool[];
  readonly returned: string[];
  readonly released: string[];
};
export type Terms = {
  /** Registering a server, and asking it again while it is a draft, takes what is not mapped as it is. */
  readonly isDraft: boolean;
  /** The list has no end: what is missing in it need not be gone. */
  readonly isCut: boolean;
  readonly isMapped: (tool: string) => boolean;
};
type Visit = Terms & {
  readonly now: Date;
  readonly noted: Noted;
  readonly writes: Writes;
};

/**
 * Compares what a server offers now with what was approved. What came is kept as new, what went is marked, and what says
 * something else than before is held: the approved definition stays as it is, and a person has to decide.
 */
export async function pinTools(
  tx: TenantTx,
  place: Place,
  tools: readonly ProbedTool[],
  terms: Terms,
): Promise<ToolChanges> {
  const now = new Date();
  const stored = new Map((await tx.serverTool.findMany({ where: place })).map((tool) => [tool.name, tool]));
  const offered = new Map(tools.map((tool) => [tool.name, tool]));
  const noted: Noted = { added: [], removed: [], changed: [], held: [], restored: [] };
  const writes: Writes = { created: [], replaced: [], held: [], returned: [], released: [] };
  const visit: Visit = { ...terms, now, noted, writes };
  for (const tool of offered.values()) {
    const old = stored.get(tool.name);
    if (old === undefined) addTool(visit, tool);
    else compareTool(visit, old, tool);
  }
  await write(tx, place, writes, now);
  const missing = [...stored.values()].filter((tool) => tool.removedAt === null && !offered.has(tool.name));
  noted.removed.push(
    ...(terms.isCut ? oldestBeyond(missing, MAX_ITEMS - offered.size) : missing).map(({ name }) => name),
  );
  if (noted.removed.length > 0) {
    await tx.serverTool.updateMany({ where: { ...place, name: { in: noted.removed } }, data: { removedAt: now } });
  }
  await tx.serverTool.updateMany({ where: { ...place, name: { in: [...offered.keys()] } }, data: { lastSeenAt: now } });
  return noted;
}

/** A server that lists something else in every look must not fill the catalog: what was seen last stays, so many of them. */
function oldestBeyond(missing: readonly Stored[], kept: number): readonly Stored[] {
  const seen = ({ lastSeenAt }: Stored) => lastSeenAt.getTime();
  return [...missing].sort((a, b) => seen(b) - seen(a) || (a.name < b.name ? -1 : 1)).slice(Math.max(0, kept));
}

/** A few statements, however many tools there are. */
async function write(tx: TenantTx, place: Place, writes: Writes, now: Date): Promise<void> {
  const { created, replaced, held, returned, released } = writes;
  const these = (names: readonly string[]) => ({ where: { ...place, name: { in: [...names] } } });
  if (returned.length > 0) await tx.serverTool.updateMany({ ...these(returned), data: { removedAt: null } });
  if (released.length > 0) await tx.serverTool.updateMany({ ...these(released), data: RELEASED });
  if (replaced.length > 0) await tx.serverTool.deleteMany(these(replaced));
  if (created.length > 0) await tx.serverTool.createMany({ data: created.map((row) => ({ ...row, ...place })) });
  if (held.length > 0) await holdAll(tx, place, held, now);
}

/** Puts what a server says now beside what was approved; a tool that was in use before anybody was asked counts as approved. */
async function holdAll(tx: TenantTx, place: Place, tools: readonly ProbedTool[], now: Date): Promise<void> {
  const rows = tools.map((tool) => ({ name: tool.name, sha256: tool.definitionSha256, definition: toHeld(tool) }));
  const at = now.toISOString();
  await tx.$executeRaw`update server_tools t
    set held_definition = h.definition, held_sha256 = h.sha256, held_at = ${at}::timestamptz, rejected_at = null,
      approved_at = coalesce(t.approved_at, ${at}::timestamptz)
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as h(name text, sha256 text, definition jsonb)
    where t.tenant_id = ${place.tenantId}::uuid and t.server_id = ${place.serverId}::uuid and t.name = h.name`;
}

/** Writes a tool's row anew: a JSON column that is to be empty cannot be emptied otherwise without the engine's own null. */
export async function rewriteTool(tx: TenantTx, old: Stored, data: NewRow): Promise<void> {
  const { tenantId, serverId, name, firstSeenAt } = old;
  await tx.serverTool.delete({ where: { tenantId_serverId_name: { tenantId, serverId, name } } });
  await tx.serverTool.create({ data: { ...data, tenantId, serverId, firstSeenAt } });
}

const hold = (now: Date, tool: ProbedTool) => ({
  heldDefinition: toHeld(tool) as unknown as Prisma.InputJsonValue,
  heldSha256: tool.definitionSha256,
  heldAt: now,
  rejectedAt: null,
});

/** A tool that nobody looked at. Where a rule waits for its name already, it would be callable at once: then it is held. */
function addTool(visit: Visit, tool: ProbedTool): void {
  const { now, isDraft, isMapped, noted, writes } = visit;
  const mapped = isMapped(tool.name);
  writes.created.push({
    ...definitionColumns(tool),
    suggestedPermission: tool.suggestedPermission,
    ...{ firstSeenAt: now, lastSeenAt: now, approvedAt: isDraft && !mapped ? now : null },
    ...(mapped ? hold(now, tool) : {}),
  });
  noted.added.push(tool.name);
  if (mapped) noted.held.push({ name: tool.name, before: null, after: tool.definitionSha256 });
}

const isSame = (a: Pick<ProbedTool, "definitionSha256" | "title">, sha256: string | null, title: string | null) =>
  a.definitionSha256 === sha256 && a.title === title;

function compareTool(visit: Visit, old: Stored, tool: ProbedTool): void {
  const { noted, writes } = visit;
  if (old.removedAt !== null) {
    noted.added.push(tool.name);
    writes.returned.push(tool.name);
  }
  const approved = isApproved(visit, old);
  const same = isSame(tool, old.definitionSha256, old.title);
  if (!approved) {
    if (!same) replaceUnseen(visit, old, tool);
    return;
  }
  if (same) {
    if (old.heldSha256 === null) return;
    noted.restored.push(tool.name);
    writes.released.push(tool.name);
    return;
  }
  const held = old.heldDefinition as HeldDefinition | null;
  if (held !== null && isSame(tool, old.heldSha256, held.title)) return;
  noted.held.push({ name: tool.name, before: old.definitionSha256, after: tool.definitionSha256 });
  writes.held.push(tool);
}

/** Mapping a tool is how a person says that they looked at it; of a draft nothing else says so. */
function isApproved({ isDraft, isMapped }: Terms, { name, approvedAt, heldSha256 }: Stored): boolean {
  if (isDraft && !isMapped(name)) return false;
  return approvedAt !== null || (heldSha256 === null && isMapped(name));
}

/** Nothing of it was approved, so nothing of it has to be kept; one that was held or refused is to be looked at anew. */
function replaceUnseen({ now, isDraft, noted, writes }: Visit, old: Stored, tool: ProbedTool): void {
  const isHeld = old.heldSha256 !== null;
  const held = isHeld ? hold(now, tool) : {};
  const change = { name: tool.name, before: old.definitionSha256, after: tool.definitionSha256 };
  noted[isHeld ? "held" : "changed"].push(change);
  writes.replaced.push(tool.name);
  writes.created.push({
    ...definitionColumns(tool),
    suggestedPermission: tool.suggestedPermission,
    ...{ approvedAt: isDraft && !isHeld ? now : null, firstSeenAt: old.firstSeenAt, lastSeenAt: now },
    ...held,
  });
}

export const RELEASED = { heldSha256: null, heldAt: null, rejectedAt: null } as const;
