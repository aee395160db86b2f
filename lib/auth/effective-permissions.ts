import { covers } from "@/lib/core/permission";

/** What a token may do: in its scopes AND held by its owner right now. Wildcards on either side narrow to the other. */
export function intersection(held: ReadonlySet<string>, scopes: ReadonlySet<string>): ReadonlySet<string> {
  const both = new Set<string>();
  for (const scope of scopes) if (covers(held, scope)) both.add(scope);
  for (const permission of held) if (covers(scopes, permission)) both.add(permission);
  return both;
}

/** The permissions of `wanted` that `held` does not cover: what somebody may not hand on. */
export const beyond = (held: ReadonlySet<string>, wanted: Iterable<string>): string[] =>
  [...wanted].filter((permission) => !covers(held, permission));
