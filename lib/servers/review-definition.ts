import "server-only";
import type { RequestContext } from "@/lib/core/context";
import { actorName } from "@/lib/core/context";
import { AppError } from "@/lib/core/errors";
import type { TenantTx } from "@/lib/db/in-tenant";
import { defineWrite } from "@/lib/db/verbs";
import type { ServerTool } from "@/lib/generated/prisma/client";
import { readServerDetail } from "@/lib/servers/detail";
import { requireLocked, type ServerRow, serverChanged } from "@/lib/servers/internal";
import { rewriteTool } from "@/lib/servers/pin-tools";
import {
  approvedOf,
  definitionColumns,
  type HeldDefinition,
  pendingOf,
  reviewSha256,
} from "@/lib/servers/pinned-definition";
import { reviewDefinitionInput } from "@/lib/servers/schemas";

type Pending = { readonly server: ServerRow; readonly tool: ServerTool };
type Input = { readonly id: string; readonly tool: string; readonly sha256: string; readonly reason: string };

/** The definition that waits, if it is still the one that was looked at. */
async function requirePending(tx: TenantTx, ctx: RequestContext, input: Input): Promise<Pending> {
  const { tenantId } = ctx;
  const server = await requireLocked(tx, tenantId, input.id);
  const where = { tenantId_serverId_name: { tenantId, serverId: input.id, name: input.tool } };
  const tool = await tx.serverTool.findUnique({ where });
  if (tool === null || tool.removedAt !== null) throw new AppError("not_found", "The server offers no such tool.");
  if (tool.approvedAt !== null && tool.heldSha256 === null) {
    throw new AppError("conflict", "Nothing of this tool waits for review.");
  }
  if (reviewSha256(tool) !== input.sha256) {
    throw new AppError("stale_version", "The definition changed again meanwhile. Look at it once more.");
  }
  return { server, tool };
}

/** Every write to a tool also touches its server: that is how other processes notice. */
const touch = (tx: TenantTx, { tenantId, id }: ServerRow) =>
  tx.server.update({ where: { tenantId_id: { tenantId, id } }, data: { updatedAt: new Date() } });

const fact = (
  { server, tool }: Pending,
  action: "tool_definition.accepted" | "tool_definition.rejected",
  reason: string,
) => ({
  ...{ action, target: `${server.slug}/${tool.name}`, reason },
  before: tool.approvedAt === null ? null : { sha256: tool.definitionSha256, definition: approvedOf(tool) },
  after: { sha256: tool.heldSha256 ?? tool.definitionSha256, definition: pendingOf(tool) },
});

/** Takes the definition that waits: agents read it from now on, and the tool is called again. */
export const acceptDefinition = defineWrite({
  permission: "servers:write",
  input: reviewDefinitionInput,
  run: async (tx, ctx, input) => {
    const pending = await requirePending(tx, ctx, input);
    const { tool, server } = pending;
    const held = tool.heldSha256 === null ? null : (tool.heldDefinition as unknown as HeldDefinition);
    const current = { ...approvedOf(tool), definitionSha256: tool.definitionSha256 } as Parameters<
      typeof definitionColumns
    >[0];
    const taken = held === null ? current : { ...held, name: tool.name, definitionSha256: tool.heldSha256 ?? "" };
    await rewriteTool(tx, tool, {
      ...definitionColumns(taken),
      ...{ suggestedPermission: tool.suggestedPermission, lastSeenAt: tool.lastSeenAt },
      ...{ approvedAt: new Date(), approvedBy: actorName(ctx.actor) },
    });
    await touch(tx, server);
    return {
      result: await readServerDetail(tx, ctx.tenantId, input.id),
      audit: fact(pending, "tool_definition.accepted", input.reason),
      publish: [serverChanged(ctx.tenantId, input.id)],
    };
  },
});

/** Refuses the definition that waits: the tool is not called until its server says again what was approved. */
export const rejectDefinition = defineWrite({
  permission: "servers:write",
  input: reviewDefinitionInput,
  run: async (tx, ctx, input) => {
    const pending = await requirePending(tx, ctx, input);
    const { tool, server } = pending;
    const { tenantId, serverId, name } = tool;
    const now = new Date();
    // A new tool has nothing held yet: what it says now becomes that, so that it is refused to admins as well.
    const { name: _, ...definition } = pendingOf(tool);
    const own =
      tool.heldSha256 === null
        ? { heldSha256: tool.definitionSha256, heldAt: now, heldDefinition: definition as object }
        : {};
    await tx.serverTool.update({
      where: { tenantId_serverId_name: { tenantId, serverId, name } },
      data: { ...own, rejectedAt: now },
    });
    await touch(tx, server);
    return {
      result: await readServerDetail(tx, tenantId, serverId),
      audit: fact(pending, "tool_definition.rejected", input.reason),
      publish: [serverChanged(tenantId, serverId)],
    };
  },
});
