/** What an unmapped tool needs: deny by default. */
export const UNMAPPED_PERMISSION = "admin:*";

const PERMISSION = /^[a-z][a-z0-9_-]{0,40}:(\*|[a-z][a-z0-9_-]{0,40})$/;

/** True for `namespace:action` and `namespace:*`. */
export const isPermission = (text: string): boolean => PERMISSION.test(text);

/** True for what reaches beyond one tenant: only a person's own account has it, no role of a tenant. */
export const isOfPlatform = (permission: string): boolean => permission.startsWith("platform:");

/**
 * True when `held` covers `needed`: the permission itself, `namespace:*`, or `admin:*`.
 * `admin:*` rules one tenant and never covers the `platform` namespace.
 */
export function covers(held: ReadonlySet<string>, needed: string): boolean {
  if (held.has(needed)) return true;
  const namespace = needed.slice(0, needed.indexOf(":"));
  if (held.has(`${namespace}:*`)) return true;
  return namespace !== "platform" && held.has(UNMAPPED_PERMISSION);
}
