import "server-only";
import { approveMapped, lockServers } from "@/lib/access/approve-mapped";
import { type KnownTool, readKnownTools } from "@/lib/access/known-tools";
import {
  appendVersion,
  lockLatestVersion,
  mapChanged,
  type StoredVersion,
  versionFact,
} from "@/lib/access/map-versions";
import { type PermissionRules, ruleKey } from "@/lib/access/permission-map";
import { changePermissionMapInput, type PermissionMapView } from "@/lib/access/schemas";
import { toPermissionMapView } from "@/lib/access/views";
import { AppError, type FieldIssue } from "@/lib/core/errors";
import { isOfPlatform } from "@/lib/core/permission";
import { defineWrite } from "@/lib/db/verbs";

type Change = {
  readonly server: string;
  readonly tool: string;
  readonly permission: string | null;
  readonly reviewSha256?: string | undefined;
};
type Known = ReadonlyMap<string, KnownTool>;

const keyOf = ({ server, tool }: Pick<Change, "server" | "tool">): string => ruleKey(server, tool);
const isNew = (change: Change, rules: PermissionRules): boolean =>
  change.permission !== null && !Object.hasOwn(rules, keyOf(change));

function issueOf(change: Change, at: number, rules: PermissionRules, known: Known): FieldIssue | null {
  const key = keyOf(change);
  if (change.permission === null) {
    return Object.hasOwn(rules, key) ? null : { path: `changes.${at}.tool`, rule: `${key} is not mapped` };
  }
  const tool = known.get(key);
  if (tool === undefined) return { path: `changes.${at}.tool`, rule: `no registered server offers ${key}` };
  if (isOfPlatform(change.permission)) {
    return { path: `changes.${at}.permission`, rule: "the platform namespace is not for tools" };
  }
  if (tool.definition?.isUnseen === true && isNew(change, rules) && change.reviewSha256 === undefined) {
    const rule = `nobody approved ${key} yet: mapping it must name the definition that was looked at`;
    return { path: `changes.${at}.reviewSha256`, rule };
  }
  return null;
}

/** Mapping a tool is approving it. What is approved is what was looked at, not what came in between. */
function requireAsSeen(changes: readonly Change[], known: Known): void {
  const issues = changes.flatMap((change, at): FieldIssue[] => {
    const { permission, reviewSha256: seen } = change;
    const now = known.get(keyOf(change))?.definition?.reviewSha256;
    if (permission === null || seen === undefined || seen === now) return [];
    const rule = `${keyOf(change)} says something else by now than what was looked at`;
    return [{ path: `changes.${at}.reviewSha256`, rule }];
  });
  if (issues.length === 0) return;
  const which =
    issues.length === 1 ? "A tool changed its definition" : `${issues.length} tools changed their definitions`;
  throw new AppError("definition_changed", `${which} since it was looked at. Nothing was changed.`, { issues });
}

/** The next document; refuses tools that do not exist and changes that change nothing. */
function applyChanges(latest: StoredVersion, changes: readonly Change[], known: Known): PermissionRules {
  const issues = changes
    .map((change, at) => issueOf(change, at, latest.rules, known))
    .filter((issue) => issue !== null);
  if (issues.length > 0) throw invalid(issues);
  requireAsSeen(changes, known);
  const rules = new Map(Object.entries(latest.rules));
  for (const change of changes) {
    if (change.permission === null) rules.delete(keyOf(change));
    else rules.set(keyOf(change), change.permission);
  }
  return Object.fromEntries(rules);
}

const invalid = (issues: readonly FieldIssue[]): AppError =>
  new AppError("invalid_input", issues.map(({ path, rule }) => `${path}: ${rule}`).join("; "), { issues });

/** Applies a draft to the version it was drafted on and makes version n+1 of it. What it maps is approved as it was seen. */
export const changePermissionMap = defineWrite({
  permission: "access:write",
  input: changePermissionMapInput,
  run: async (tx, ctx, input) => {
    const mapping = input.changes.filter(({ permission }) => permission !== null);
    await lockServers(
      tx,
      ctx.tenantId,
      mapping.map(({ server }) => server),
    );
    const latest = await lockLatestVersion(tx, ctx.tenantId, input.baseVersion);
    const tools = await readKnownTools(tx, ctx.tenantId);
    const known = new Map(tools.map((tool) => [keyOf(tool), tool]));
    const rules = applyChanges(latest, input.changes, known);
    const next = await appendVersion(tx, ctx, latest, rules, input.reason);
    if (next.sha256 === latest.sha256) throw invalid([{ path: "changes", rule: "nothing would change" }]);
    const mapped = mapping
      .filter((change) => isNew(change, latest.rules))
      .flatMap((change) => known.get(keyOf(change)) ?? []);
    const approved = await approveMapped(tx, ctx, mapped);
    const fact = versionFact(latest, next);
    return {
      result: toPermissionMapView(next, tools) satisfies PermissionMapView,
      audit: { ...fact, after: { ...fact.after, ...(approved === null ? {} : { approved }) } },
      publish: [mapChanged(ctx.tenantId)],
    };
  },
});
