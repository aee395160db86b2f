import "server-only";
import type { TenantTx } from "@/lib/db/in-tenant";
import type { Prisma, ServerTool } from "@/lib/generated/prisma/client";
import { definitionColumns, type HeldDefinition, toHeld } from "@/lib/servers/pinned-definition";
import type { ProbedTool } from "@/lib/servers/schemas";
import { NO_CHANGES, type Place, type ToolChanges } from "@/lib/servers/store-tools";

type Stored = ServerTool;
type Noted = { -readonly [K in keyof ToolChanges]: ToolChanges[K][number][] };
type Visit = {
  readonly tx: TenantTx;
  readonly place: Place;
  readonly now: Date;
  readonly isMapped: (tool: string) => boolean;
  readonly noted: Noted;
};

/**
 * Compares what a server offers now with what was approved. What came is kept as new, what went is marked, and what says
 * something else than before is held: the approved definition stays as it is, and a person has to decide.
 */
export async function pinTools(
  tx: TenantTx,
  place: Place,
  tools: readonly ProbedTool[],
  isMapped: (tool: string) => boolean,
): Promise<ToolChanges> {
  const now = new Date();
  const stored = new Map((await tx.serverTool.findMany({ where: place })).map((tool) => [tool.name, tool]));
  const offered = new Map(tools.map((tool) => [tool.name, tool]));
  const noted: Noted = { added: [], removed: [], changed: [], restored: [] };
  const visit: Visit = { tx, place, now, isMapped, noted };
  for (const tool of offered.values()) {
    const old = stored.get(tool.name);
    if (old === undefined) await addTool(visit, tool);
    else await compareTool(visit, old, tool);
  }
  const removed = [...stored.values()].filter((tool) => tool.removedAt === null && !offered.has(tool.name));
  noted.removed.push(...removed.map(({ name }) => name));
  if (removed.length > 0) {
    await tx.serverTool.updateMany({ where: { ...place, name: { in: noted.removed } }, data: { removedAt: now } });
  }
  await tx.serverTool.updateMany({ where: { ...place, name: { in: [...offered.keys()] } }, data: { lastSeenAt: now } });
  return { ...NO_CHANGES, ...noted };
}

type NewRow = Omit<Prisma.ServerToolCreateManyInput, "tenantId" | "serverId" | "firstSeenAt">;

/** Writes a tool's row anew: a JSON column that is to be empty cannot be emptied otherwise without the engine's own null. */
export async function rewriteTool(tx: TenantTx, old: Stored, data: NewRow): Promise<void> {
  const { tenantId, serverId, name, firstSeenAt } = old;
  await tx.serverTool.delete({ where: { tenantId_serverId_name: { tenantId, serverId, name } } });
  await tx.serverTool.create({ data: { ...data, tenantId, serverId, firstSeenAt } });
}

const hold = (visit: Visit, tool: ProbedTool) => ({
  heldDefinition: toHeld(tool) as unknown as Prisma.InputJsonValue,
  heldSha256: tool.definitionSha256,
  heldAt: visit.now,
  rejectedAt: null,
});

/** A tool that nobody looked at. Where a rule waits for its name already, it would be callable at once: then it is held. */
async function addTool(visit: Visit, tool: ProbedTool): Promise<void> {
  const { tx, place, now, isMapped, noted } = visit;
  const mapped = isMapped(tool.name);
  await tx.serverTool.create({
    data: {
      ...place,
      ...definitionColumns(tool),
      suggestedPermission: tool.suggestedPermission,
      ...{ firstSeenAt: now, lastSeenAt: now, approvedAt: null },
      ...(mapped ? hold(visit, tool) : {}),
    },
  });
  noted.added.push(tool.name);
  if (mapped) noted.changed.push({ name: tool.name, before: null, after: tool.definitionSha256 });
}

const isSame = (a: Pick<ProbedTool, "definitionSha256" | "title">, sha256: string | null, title: string | null) =>
  a.definitionSha256 === sha256 && a.title === title;

async function compareTool(visit: Visit, old: Stored, tool: ProbedTool): Promise<void> {
  const { noted, now } = visit;
  if (old.removedAt !== null) {
    noted.added.push(tool.name);
    await update(visit, tool.name, { removedAt: null });
  }
  // Mapping a new tool is how a person says that they looked at it.
  const approved = old.approvedAt !== null || (old.heldSha256 === null && visit.isMapped(tool.name));
  const same = isSame(tool, old.definitionSha256, old.title);
  if (!approved) return same ? undefined : replaceUnseen(visit, old, tool);
  if (same) {
    if (old.heldSha256 === null) return;
    noted.restored.push(tool.name);
    return update(visit, tool.name, RELEASED);
  }
  const held = old.heldDefinition as HeldDefinition | null;
  if (held !== null && isSame(tool, old.heldSha256, held.title)) return;
  noted.changed.push({ name: tool.name, before: old.definitionSha256, after: tool.definitionSha256 });
  await update(visit, tool.name, { ...hold(visit, tool), approvedAt: old.approvedAt ?? now });
}

/** Nothing of it was approved, so nothing of it has to be kept; one that was held or refused is to be looked at anew. */
async function replaceUnseen(visit: Visit, old: Stored, tool: ProbedTool): Promise<void> {
  const held = old.heldSha256 === null ? {} : hold(visit, tool);
  visit.noted.changed.push({ name: tool.name, before: old.definitionSha256, after: tool.definitionSha256 });
  await rewriteTool(visit.tx, old, {
    ...definitionColumns(tool),
    suggestedPermission: tool.suggestedPermission,
    ...{ approvedAt: null, lastSeenAt: visit.now },
    ...held,
  });
}

export const RELEASED = { heldSha256: null, heldAt: null, rejectedAt: null } as const;

async function update({ tx, place }: Visit, name: string, data: Prisma.ServerToolUpdateManyMutationInput) {
  await tx.serverTool.updateMany({ where: { ...place, name }, data });
}
