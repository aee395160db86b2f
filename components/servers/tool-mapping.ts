import type { GrantChange, MapChange } from "@/components/access/access-draft";
import type { ServerToolView } from "@/lib/servers/schemas";

/** The wizard's third step: a permission per tool, and which roles get which of them. */
export type MappingDraft = {
  readonly permissions: Readonly<Record<string, string | null>>;
  /** Role slug to the tools it was given here. A permission is granted as soon as one of its tools is. */
  readonly given: Readonly<Record<string, readonly string[]>>;
  /** What was shown of each tool: mapping one approves that, and nothing that came later. */
  readonly shown: Readonly<Record<string, string>>;
};
type RoleHolding = { readonly slug: string; readonly permissions: readonly string[] };

export const startMapping = (tools: readonly ServerToolView[]): MappingDraft => ({
  permissions: Object.fromEntries(tools.map((tool) => [tool.name, tool.permission])),
  given: {},
  shown: shownOf(tools),
});

const shownOf = (tools: readonly ServerToolView[]): MappingDraft["shown"] =>
  Object.fromEntries(tools.map((tool) => [tool.name, tool.reviewSha256]));

/** Tools that say something else than when the draft was begun, or that came since. */
export const redefinedTools = (draft: MappingDraft, tools: readonly ServerToolView[]): readonly ServerToolView[] =>
  tools.filter((tool) => draft.shown[tool.name] !== tool.reviewSha256);

/** The same draft, over what is shown now. */
export const showAnew = (draft: MappingDraft, tools: readonly ServerToolView[]): MappingDraft => ({
  ...draft,
  shown: shownOf(tools),
});

export const permissionOf = (draft: MappingDraft, tool: ServerToolView): string | null => {
  const chosen = draft.permissions[tool.name];
  return chosen === undefined ? tool.permission : chosen;
};

export function acceptSuggestions(draft: MappingDraft, tools: readonly ServerToolView[]): MappingDraft {
  const suggested = tools
    .filter((tool) => permissionOf(draft, tool) === null)
    .map((tool) => [tool.name, tool.suggestedPermission] as const);
  return { ...draft, permissions: { ...draft.permissions, ...Object.fromEntries(suggested) } };
}

export const mapTool = (draft: MappingDraft, tool: string, permission: string | null): MappingDraft => ({
  ...draft,
  permissions: { ...draft.permissions, [tool]: permission },
});

/** Gives or takes tools of a role. Tools of one permission move together, because a role holds permissions. */
export function giveTools(
  draft: MappingDraft,
  tools: readonly ServerToolView[],
  role: string,
  names: readonly string[],
  give: boolean,
): MappingDraft {
  const wanted = new Set(tools.filter((tool) => names.includes(tool.name)).map((tool) => permissionOf(draft, tool)));
  wanted.delete(null);
  const together = tools.filter((tool) => wanted.has(permissionOf(draft, tool))).map((tool) => tool.name);
  const before = draft.given[role] ?? [];
  const after = give ? [...new Set([...before, ...together])] : before.filter((name) => !together.includes(name));
  return { ...draft, given: { ...draft.given, [role]: after } };
}

export function mappingChanges(draft: MappingDraft, server: string, tools: readonly ServerToolView[]): MapChange[] {
  return tools
    .filter((tool) => permissionOf(draft, tool) !== tool.permission)
    .map((tool) => {
      const change = { server, tool: tool.name, permission: permissionOf(draft, tool) };
      const shown = draft.shown[tool.name];
      if (change.permission === null || tool.permission !== null || shown === undefined) return change;
      return { ...change, reviewSha256: shown };
    });
}

/** The permissions that the chosen roles lack. Roles that already hold one are left alone. */
export function roleChanges(
  draft: MappingDraft,
  tools: readonly ServerToolView[],
  roles: readonly RoleHolding[],
): GrantChange[] {
  return roles.flatMap((role) => {
    const given = draft.given[role.slug] ?? [];
    const permissions = new Set(
      tools.filter((tool) => given.includes(tool.name)).flatMap((tool) => permissionOf(draft, tool) ?? []),
    );
    return [...permissions]
      .filter((permission) => !role.permissions.includes(permission))
      .map((permission) => ({ role: role.slug, permission, granted: true }));
  });
}
