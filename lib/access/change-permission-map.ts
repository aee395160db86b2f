import "server-only";
import { readKnownTools } from "@/lib/access/known-tools";
import {
  appendVersion,
  lockLatestVersion,
  mapChanged,
  readVersion,
  type StoredVersion,
  versionFact,
} from "@/lib/access/map-versions";
import { type PermissionRules, parseRuleKey, ruleKey } from "@/lib/access/permission-map";
import { changePermissionMapInput, type PermissionMapView, revertPermissionMapInput } from "@/lib/access/schemas";
import { toPermissionMapView } from "@/lib/access/views";
import { AppError, type FieldIssue } from "@/lib/core/errors";
import { isOfPlatform } from "@/lib/core/permission";
import { defineWrite } from "@/lib/db/verbs";

type Change = { readonly server: string; readonly tool: string; readonly permission: string | null };

function issueOf(change: Change, at: number, rules: PermissionRules, known: ReadonlySet<string>): FieldIssue | null {
  const key = ruleKey(change.server, change.tool);
  if (change.permission === null) {
    return Object.hasOwn(rules, key) ? null : { path: `changes.${at}.tool`, rule: `${key} is not mapped` };
  }
  if (!known.has(key)) return { path: `changes.${at}.tool`, rule: `no registered server offers ${key}` };
  if (isOfPlatform(change.permission)) {
    return { path: `changes.${at}.permission`, rule: "the platform namespace is not for tools" };
  }
  return null;
}

/** The next document; refuses tools that do not exist and changes that change nothing. */
function applyChanges(latest: StoredVersion, changes: readonly Change[], known: ReadonlySet<string>): PermissionRules {
  const issues = changes
    .map((change, at) => issueOf(change, at, latest.rules, known))
    .filter((issue) => issue !== null);
  if (issues.length > 0) throw invalid(issues);
  const rules = new Map(Object.entries(latest.rules));
  for (const change of changes) {
    if (change.permission === null) rules.delete(ruleKey(change.server, change.tool));
    else rules.set(ruleKey(change.server, change.tool), change.permission);
  }
  return Object.fromEntries(rules);
}

const invalid = (issues: readonly FieldIssue[]): AppError =>
  new AppError("invalid_input", issues.map(({ path, rule }) => `${path}: ${rule}`).join("; "), { issues });

/** Applies a draft to the version it was drafted on and makes version n+1 of it. */
export const changePermissionMap = defineWrite({
  permission: "access:write",
  input: changePermissionMapInput,
  run: async (tx, ctx, input) => {
    const latest = await lockLatestVersion(tx, ctx.tenantId, input.baseVersion);
    const tools = await readKnownTools(tx, ctx.tenantId);
    const rules = applyChanges(latest, input.changes, new Set(tools.map((tool) => ruleKey(tool.server, tool.tool))));
    const next = await appendVersion(tx, ctx, latest, rules, input.reason);
    if (next.sha256 === latest.sha256) throw invalid([{ path: "changes", rule: "nothing would change" }]);
    return {
      result: toPermissionMapView(next, tools) satisfies PermissionMapView,
      audit: versionFact(latest, next),
      publish: [mapChanged(ctx.tenantId)],
    };
  },
});

/** Says again what an older version said, as version n+1. Rules of servers that are gone do not come back. */
export const revertPermissionMap = defineWrite({
  permission: "access:write",
  input: revertPermissionMapInput,
  run: async (tx, ctx, input) => {
    const latest = await lockLatestVersion(tx, ctx.tenantId, input.baseVersion);
    const old = await readVersion(tx, ctx.tenantId, input.version);
    const servers = await tx.server.findMany({ where: { tenantId: ctx.tenantId }, select: { slug: true } });
    const here = new Set(servers.map((server) => server.slug));
    const rules = Object.entries(old.rules).filter(([key]) => here.has(parseRuleKey(key).server));
    const next = await appendVersion(tx, ctx, latest, Object.fromEntries(rules), input.reason);
    if (next.sha256 === latest.sha256) throw invalid([{ path: "version", rule: "says what is in force already" }]);
    const fact = versionFact(latest, next);
    return {
      result: toPermissionMapView(next, await readKnownTools(tx, ctx.tenantId)),
      audit: { ...fact, action: "permission_map.reverted" as const, after: { ...fact.after, revertedTo: old.version } },
      publish: [mapChanged(ctx.tenantId)],
    };
  },
});
