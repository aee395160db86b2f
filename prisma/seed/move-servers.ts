import { z } from "zod";
import { canonicalJson } from "@/lib/core/canonical-json";
import { defineWrite } from "@/lib/db/verbs";
import { serverEndpoint } from "@/lib/servers/schemas";

const moveInput = z.object({ servers: z.array(z.object({ slug: z.string(), endpoint: serverEndpoint })) });

/** Points the demo's servers at where they are on this machine now: the port or the folder may have changed between runs. */
export const moveDemoServers = defineWrite({
  permission: "servers:write",
  input: moveInput,
  run: async (tx, ctx, { servers }) => {
    const { tenantId } = ctx;
    const rows = await tx.server.findMany({ where: { tenantId, slug: { in: servers.map(({ slug }) => slug) } } });
    const moved = servers.flatMap(({ slug, endpoint }) => {
      const row = rows.find((candidate) => candidate.slug === slug);
      if (row === undefined) return [];
      const data =
        endpoint.transport !== "stdio"
          ? { url: endpoint.url }
          : { command: endpoint.command, args: endpoint.args, env: endpoint.env };
      const stored =
        endpoint.transport !== "stdio" ? { url: row.url } : { command: row.command, args: row.args, env: row.env };
      return canonicalJson(data) === canonicalJson(stored) ? [] : [{ id: row.id, slug, before: stored, data }];
    });
    for (const { id, data } of moved) {
      await tx.server.update({ where: { tenantId_id: { tenantId, id } }, data: { ...data, updatedAt: new Date() } });
    }
    return {
      result: moved.map(({ slug }) => slug),
      audit: {
        action: "demo.servers_moved",
        target: moved.map(({ slug }) => slug).join(", ") || "none",
        before: moved.map(({ slug, before }) => ({ slug, ...before })),
        after: moved.map(({ slug, data }) => ({ slug, ...data })),
      },
      publish: moved.map(({ id }) => ({ topic: "server.changed", tenantId, serverId: id }) as const),
    };
  },
});
