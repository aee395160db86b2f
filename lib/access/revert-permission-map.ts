import "server-only";
import { lockServers } from "@/lib/access/approve-mapped";
import { readKnownTools } from "@/lib/access/known-tools";
import { appendVersion, lockLatestVersion, mapChanged, readVersion, versionFact } from "@/lib/access/map-versions";
import { parseRuleKey } from "@/lib/access/permission-map";
import { revertPermissionMapInput } from "@/lib/access/schemas";
import { toPermissionMapView } from "@/lib/access/views";
import { draftOf } from "@/lib/audit/perform";
import { AppError } from "@/lib/core/errors";
import { defineWrite } from "@/lib/db/verbs";
import { recordHeld } from "@/lib/servers/definition-entries";
import { holdUnseen } from "@/lib/servers/hold-unseen";

/**
 * Says again what an older version said, as version n+1. Rules of servers that are gone do not come back, and a rule that
 * comes back approves no tool: one that nobody approved is held.
 */
export const revertPermissionMap = defineWrite({
  permission: "access:write",
  input: revertPermissionMapInput,
  run: async (tx, ctx, input) => {
    const { tenantId } = ctx;
    const old = await readVersion(tx, tenantId, input.version);
    const oldKeys = Object.keys(old.rules).map(parseRuleKey);
    await lockServers(
      tx,
      tenantId,
      oldKeys.map(({ server }) => server),
    );
    const latest = await lockLatestVersion(tx, tenantId, input.baseVersion);
    const servers = await tx.server.findMany({ where: { tenantId }, select: { id: true, slug: true } });
    const here = new Set(servers.map((server) => server.slug));
    const rules = Object.fromEntries(Object.entries(old.rules).filter(([key]) => here.has(parseRuleKey(key).server)));
    const next = await appendVersion(tx, ctx, latest, rules, input.reason);
    if (next.sha256 === latest.sha256) {
      const rule = "says what is in force already";
      throw new AppError("invalid_input", `version: ${rule}`, { issues: [{ path: "version", rule }] });
    }
    const returned = Object.keys(rules)
      .filter((key) => !Object.hasOwn(latest.rules, key))
      .map(parseRuleKey);
    const held = await holdUnseen(tx, tenantId, returned);
    const result = toPermissionMapView(next, await readKnownTools(tx, tenantId));
    for (const { server, changed } of held) await recordHeld(tx, draftOf(ctx, tenantId), server, changed);
    const fact = versionFact(latest, next);
    return {
      result,
      audit: { ...fact, action: "permission_map.reverted" as const, after: { ...fact.after, revertedTo: old.version } },
      publish: [
        mapChanged(tenantId),
        ...held.map(({ server }) => ({ topic: "server.changed", tenantId, serverId: server.id }) as const),
      ],
    };
  },
});
