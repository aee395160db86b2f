import { covers, isPermission, UNMAPPED_PERMISSION } from "@/lib/core/permission";

/** One version of a tenant's map, as the road reads it. */
export type PermissionMap = {
  readonly version: number;
  readonly sha256: string;
  readonly get: (server: string, tool: string) => string | undefined;
};

export type ToolRef = { readonly server: string; readonly tool: string };

/** A role with what it gives, so that a decision can name it. */
export type HeldRole = { readonly slug: string; readonly permissions: Iterable<string> };

/** A held permission that covers the needed one, and the role it came from. */
export type Via = { readonly role: string; readonly permission: string };

type Ground = {
  readonly needed: string;
  /** `map:files/read_file=files:read`, `unmapped`, or `invalid:files/read_file`. */
  readonly rule: string;
  readonly mapVersion: number;
};

export type Decision = Ground &
  (
    | { readonly allow: true; readonly missing: null; readonly via: readonly Via[] }
    | { readonly allow: false; readonly missing: string; readonly via: readonly [] }
  );

const NO_ROLES: readonly HeldRole[] = [];

/** What the map asks for; a mapping that is no permission asks for something nobody can hold. */
function ground(map: PermissionMap, ref: ToolRef): Ground & { readonly valid: boolean } {
  const mapped = map.get(ref.server, ref.tool);
  const mapVersion = map.version;
  if (mapped === undefined) return { needed: UNMAPPED_PERMISSION, rule: "unmapped", mapVersion, valid: true };
  if (!isPermission(mapped)) {
    return { needed: UNMAPPED_PERMISSION, rule: `invalid:${ref.server}/${ref.tool}`, mapVersion, valid: false };
  }
  return { needed: mapped, rule: `map:${ref.server}/${ref.tool}=${mapped}`, mapVersion, valid: true };
}

/** Every (role, permission) pair that covers `needed`, by the same rule as the decision itself. */
function grounds(roles: readonly HeldRole[], needed: string): readonly Via[] {
  const via: Via[] = [];
  for (const role of roles) {
    for (const permission of role.permissions) {
      if (covers(new Set([permission]), needed)) via.push({ role: role.slug, permission });
    }
  }
  return via;
}

/**
 * The only decision about tools. Lists and calls both ask it, so a tool is listed exactly when it may be called.
 * Deny by default: an unmapped tool needs `admin:*`, a broken mapping is denied to everybody.
 * `roles` only adds the names to the trace; what is allowed depends on `held` alone.
 */
export function decide(
  map: PermissionMap,
  held: ReadonlySet<string>,
  ref: ToolRef,
  roles: readonly HeldRole[] = NO_ROLES,
): Decision {
  const { valid, needed, rule, mapVersion } = ground(map, ref);
  if (!valid || !covers(held, needed)) return { allow: false, needed, rule, mapVersion, missing: needed, via: [] };
  return {
    allow: true,
    needed,
    rule,
    mapVersion,
    missing: null,
    via: roles === NO_ROLES ? [] : grounds(roles, needed),
  };
}
