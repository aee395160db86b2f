import type { AccessMatrix, ChangePermissionMapInput, PermissionMapView } from "@/lib/access/schemas";
import { covers, UNMAPPED_PERMISSION } from "@/lib/core/permission";

/** Changes that are staged and not yet saved: mappings by `server/tool`, grants by `role permission`. */
export type AccessDraft = {
  readonly map: Readonly<Record<string, string | null>>;
  readonly grants: Readonly<Record<string, boolean>>;
};
export type GrantChange = { readonly role: string; readonly permission: string; readonly granted: boolean };
export type MapChange = ChangePermissionMapInput["changes"][number];
type MappedTool = PermissionMapView["tools"][number];
type MatrixRole = AccessMatrix["roles"][number];

export const EMPTY_DRAFT: AccessDraft = { map: {}, grants: {} };

export const toolKey = (server: string, tool: string): string => `${server}/${tool}`;
const grantKey = (role: string, permission: string): string => `${role} ${permission}`;

/** A server slug holds no slash, a tool name may: cut at the first one. */
export function splitToolKey(key: string): { server: string; tool: string } {
  const cut = key.indexOf("/");
  return { server: key.slice(0, cut), tool: key.slice(cut + 1) };
}

function without<T>(record: Readonly<Record<string, T>>, key: string): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(record).filter(([name]) => name !== key));
}

/** Stages one mapping; going back to what is in force unstages it. */
export function stageMapping(
  draft: AccessDraft,
  key: string,
  inForce: string | null,
  permission: string | null,
): AccessDraft {
  if (permission === inForce) return { ...draft, map: without(draft.map, key) };
  return { ...draft, map: { ...draft.map, [key]: permission } };
}

/** Stages giving or taking one permission of a role; going back to what is in force unstages it. */
export function stageGrant(draft: AccessDraft, role: MatrixRole, permission: string, granted: boolean): AccessDraft {
  const key = grantKey(role.slug, permission);
  if (granted === role.permissions.includes(permission)) return { ...draft, grants: without(draft.grants, key) };
  return { ...draft, grants: { ...draft.grants, [key]: granted } };
}

/** The staged mappings. One that maps a tool for the first time approves what the tool says, so it names what was shown. */
export function mapChanges(draft: AccessDraft, shown: readonly MappedTool[]): MapChange[] {
  const tools = byKey(shown);
  return Object.entries(draft.map).map(([key, permission]) => {
    const tool = tools.get(key);
    const change = { ...splitToolKey(key), permission };
    if (permission === null || tool === undefined || tool.permission !== null) return change;
    return tool.reviewSha256 === null ? change : { ...change, reviewSha256: tool.reviewSha256 };
  });
}

const byKey = (tools: readonly MappedTool[]): ReadonlyMap<string, MappedTool> =>
  new Map(tools.map((tool) => [toolKey(tool.server, tool.tool), tool]));

export function grantChanges(draft: AccessDraft): GrantChange[] {
  return Object.entries(draft.grants).map(([key, granted]) => {
    const cut = key.indexOf(" ");
    return { role: key.slice(0, cut), permission: key.slice(cut + 1), granted };
  });
}

export const draftSize = (draft: AccessDraft): number =>
  Object.keys(draft.map).length + Object.keys(draft.grants).length;

/** The tool's permission once the draft is saved; null = unmapped. */
export function draftedPermission(draft: AccessDraft, key: string, inForce: string | null): string | null {
  const staged = draft.map[key];
  return staged === undefined ? inForce : staged;
}

/** The role's permissions once the draft is saved. */
export function draftedHoldings(draft: AccessDraft, role: MatrixRole): ReadonlySet<string> {
  const held = new Set(role.permissions);
  for (const change of grantChanges(draft)) {
    if (change.role !== role.slug) continue;
    if (change.granted) held.add(change.permission);
    else held.delete(change.permission);
  }
  return held;
}

export type Impact = {
  readonly role: string;
  readonly gained: readonly string[];
  readonly lost: readonly string[];
};

function toolsOf(matrix: AccessMatrix): { key: string; permission: string | null }[] {
  return matrix.servers.flatMap((server) =>
    server.tools.map((tool) => ({ key: toolKey(server.slug, tool.name), permission: tool.permission })),
  );
}

/** Which roles gain or lose which tools, were the draft saved now. */
export function impactOf(matrix: AccessMatrix, draft: AccessDraft): Impact[] {
  const tools = toolsOf(matrix);
  return matrix.roles.flatMap((role) => {
    const before = new Set(role.permissions);
    const after = draftedHoldings(draft, role);
    const gained: string[] = [];
    const lost: string[] = [];
    for (const { key, permission } of tools) {
      const could = covers(before, permission ?? UNMAPPED_PERMISSION);
      const can = covers(after, draftedPermission(draft, key, permission) ?? UNMAPPED_PERMISSION);
      if (can && !could) gained.push(key);
      if (could && !can) lost.push(key);
    }
    return gained.length + lost.length > 0 ? [{ role: role.slug, gained, lost }] : [];
  });
}

export type Collision = {
  readonly key: string;
  readonly base: string | null;
  readonly theirs: string | null;
  readonly mine: string | null;
};

/** A staged tool that says something else than when it was staged. */
export type Redefined = {
  readonly key: string;
  readonly server: string;
  readonly tool: string;
  /** Its descriptions; the same where only another part of the definition changed. */
  readonly before: string;
  readonly after: string;
};
export type Rebased = {
  readonly draft: AccessDraft;
  readonly collisions: readonly Collision[];
  readonly redefined: readonly Redefined[];
};

/**
 * Carries a draft over to a newer map. A mapping that somebody else changed meanwhile to something else
 * than mine is a collision; one that already says what I wanted is dropped.
 */
export function rebase(draft: AccessDraft, before: readonly MappedTool[], now: readonly MappedTool[]): Rebased {
  const [base, current] = [byKey(before), byKey(now)];
  const collisions: Collision[] = [];
  let next = draft;
  for (const [key, mine] of Object.entries(draft.map)) {
    const theirs = current.get(key)?.permission ?? null;
    const was = base.get(key)?.permission ?? null;
    if (theirs === mine) next = { ...next, map: without(next.map, key) };
    else if (theirs !== was) collisions.push({ key, base: was, theirs, mine });
  }
  const redefined = Object.keys(next.map).flatMap((key): Redefined[] => {
    const [old, tool] = [base.get(key), current.get(key)];
    if (old === undefined || tool === undefined || old.reviewSha256 === tool.reviewSha256) return [];
    return [{ key, server: tool.server, tool: tool.tool, before: old.description, after: tool.description }];
  });
  return { draft: next, collisions, redefined };
}
