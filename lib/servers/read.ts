import "server-only";
import { z } from "zod";
import { readLatestVersion } from "@/lib/access/map-versions";
import { defineRead } from "@/lib/db/verbs";
import { readServerDetail, serverFacts } from "@/lib/servers/detail";
import { parseServers } from "@/lib/servers/parse-servers";
import { type ParsedServer, parseServersInput, type ServerView, serverRef } from "@/lib/servers/schemas";
import { toServerView } from "@/lib/servers/views";

/** Every server of the tenant, by name. */
export const listServers = defineRead({
  permission: "servers:read",
  input: z.object({ status: z.enum(["any", "draft", "enabled", "disabled"]).default("any") }),
  run: async (tx, ctx, { status }): Promise<readonly ServerView[]> => {
    const { tenantId } = ctx;
    const rows = await tx.server.findMany({
      where: { tenantId, ...(status === "any" ? {} : { status }) },
      orderBy: { slug: "asc" },
    });
    const { rules } = await readLatestVersion(tx, tenantId);
    const tools = await tx.serverTool.findMany({
      where: { tenantId, removedAt: null },
      select: { serverId: true, name: true, approvedAt: true, heldSha256: true, rejectedAt: true },
    });
    const health = new Map(
      (await tx.serverHealth.findMany({ where: { tenantId } })).map((each) => [each.serverId, each]),
    );
    const facts = await Promise.all(rows.map((row) => serverFacts(row, rules)));
    return facts.map((fact) =>
      toServerView(
        { ...fact, health: health.get(fact.row.id) ?? null },
        tools.filter((tool) => tool.serverId === fact.row.id),
      ),
    );
  },
});

/** One server with its tools. */
export const getServer = defineRead({
  permission: "servers:read",
  input: z.object({ id: serverRef.shape.id }),
  run: (tx, ctx, { id }) => readServerDetail(tx, ctx.tenantId, id),
});

/** What a paste means; nothing is contacted, started or kept. */
export const readPastedServers = defineRead({
  permission: "servers:write",
  input: parseServersInput,
  run: async (_tx, _ctx, { text }): Promise<readonly ParsedServer[]> => parseServers(text),
});
