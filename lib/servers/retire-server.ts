import "server-only";
import { dropServerRules, mapChanged, versionFact } from "@/lib/access/map-versions";
import { defineWrite } from "@/lib/db/verbs";
import { auditedServer, readServerDetail } from "@/lib/servers/detail";
import { requireLocked, serverChanged } from "@/lib/servers/internal";
import { serverRef } from "@/lib/servers/schemas";

/** Takes a server away for good, with its credential and its rules in the permission map. The trail keeps what it did. */
export const retireServer = defineWrite({
  permission: "servers:write",
  input: serverRef,
  status: 204,
  run: async (tx, ctx, { id, reason }) => {
    const { tenantId } = ctx;
    // Before the map's lock, as whoever maps its tools takes them.
    await requireLocked(tx, tenantId, id);
    const server = await readServerDetail(tx, tenantId, id);
    const map = await dropServerRules(tx, ctx, server.slug);
    await tx.server.delete({ where: { tenantId_id: { tenantId, id } } });
    const rules = map === null ? null : versionFact(map.from, map.to);
    return {
      result: null,
      audit: {
        action: "server.retired",
        target: server.slug,
        before: { id, ...auditedServer(server), ...(rules === null ? {} : { permissionMap: rules.before }) },
        ...(rules === null ? {} : { after: { permissionMap: rules.after } }),
        ...(reason === undefined ? {} : { reason }),
      },
      publish: [serverChanged(tenantId, id), ...(map === null ? [] : [mapChanged(tenantId)])],
    };
  },
});
