import "server-only";
import type { TenantTx } from "@/lib/db/in-tenant";
import type { Prisma } from "@/lib/generated/prisma/client";
import type { ProbedTool } from "@/lib/servers/schemas";

export type ToolChanges = {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** Tools whose definition is another one than before, with both digests. */
  readonly changed: readonly { readonly name: string; readonly before: string | null; readonly after: string }[];
  /** Tools that were held and say again what was approved. */
  readonly restored: readonly string[];
};
export const NO_CHANGES: ToolChanges = { added: [], removed: [], changed: [], restored: [] };

type Json = Prisma.InputJsonValue;
export type Place = { readonly tenantId: string; readonly serverId: string };

function toRow(place: Place, tool: ProbedTool, firstSeenAt: Date, now: Date): Prisma.ServerToolCreateManyInput {
  return {
    ...place,
    name: tool.name,
    title: tool.title,
    description: tool.description,
    inputSchema: (tool.inputSchema ?? { type: "object" }) as Json,
    ...(tool.outputSchema == null ? {} : { outputSchema: tool.outputSchema as Json }),
    ...(tool.annotations === null ? {} : { annotations: { ...tool.annotations } }),
    definitionSha256: tool.definitionSha256,
    suggestedPermission: tool.suggestedPermission,
    firstSeenAt,
    lastSeenAt: now,
  };
}

/** Of a server that agents do not reach yet. Makes the stored tools what it offers now: new ones are added, missing ones marked, changed ones replaced. */
export async function storeTools(tx: TenantTx, place: Place, tools: readonly ProbedTool[]): Promise<ToolChanges> {
  const now = new Date();
  const stored = await tx.serverTool.findMany({
    where: place,
    select: { name: true, definitionSha256: true, firstSeenAt: true, removedAt: true },
  });
  const before = new Map(stored.map((tool) => [tool.name, tool]));
  const offered = new Map(tools.map((tool) => [tool.name, tool]));
  const changed = [...offered.values()].flatMap((tool) => {
    const old = before.get(tool.name);
    if (old === undefined || old.definitionSha256 === tool.definitionSha256) return [];
    return [{ name: tool.name, before: old.definitionSha256, after: tool.definitionSha256 }];
  });
  const added = [...offered.keys()].filter((name) => before.get(name)?.removedAt !== null);
  const removed = stored.filter((tool) => tool.removedAt === null && !offered.has(tool.name)).map((tool) => tool.name);
  await tx.serverTool.updateMany({ where: { ...place, name: { in: removed } }, data: { removedAt: now } });
  // Every offered tool is written anew: a row is one tool as it was seen last, and only its first sight is kept.
  await tx.serverTool.deleteMany({ where: { ...place, name: { in: [...offered.keys()] } } });
  await tx.serverTool.createMany({
    data: [...offered.values()].map((tool) => toRow(place, tool, before.get(tool.name)?.firstSeenAt ?? now, now)),
  });
  return { ...NO_CHANGES, added, removed, changed };
}
