/** What the console itself asks for. Tools' permissions are the tenant's own words. */
export const CONSOLE_PERMISSIONS = [
  "servers:read",
  "servers:write",
  "access:read",
  "access:write",
  "agents:read",
  "agents:write",
  "members:read",
  "members:write",
  "audit:read",
  "audit:payload",
  "audit:export",
  "metrics:read",
  "alerts:read",
  "alerts:acknowledge",
  "alerts:write",
  "tenant:read",
  "tenant:write",
  "tools:call",
  "killswitch:write",
] as const;

/** Everything one may want to pick: tools' permissions with their namespaces' wildcards first, then the console's. */
export function knownPermissions(ofTools: readonly (string | null)[]): string[] {
  const used = [...new Set(ofTools.filter((permission) => permission !== null))].sort();
  const wildcards = used.map((permission) => `${permission.slice(0, permission.indexOf(":"))}:*`);
  return [...new Set([...used, ...wildcards, ...CONSOLE_PERMISSIONS])].filter((permission) => permission !== "admin:*");
}
