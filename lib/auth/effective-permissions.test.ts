import fc from "fast-check";
import { expect, it } from "vitest";
import { beyond, intersection } from "@/lib/auth/effective-permissions";
import { covers } from "@/lib/core/permission";

const some = fc.constantFrom(
  "files:read",
  "files:write",
  "files:*",
  "mail:send",
  "mail:*",
  "admin:*",
  "platform:read",
  "platform:*",
);
const concrete = fc.constantFrom(
  "files:read",
  "files:write",
  "mail:send",
  "mail:read",
  "platform:read",
  "admin:all",
  "x:y",
);
const setOf = fc.uniqueArray(some).map((list) => new Set(list));

it("covers exactly what both sides cover", () => {
  fc.assert(
    fc.property(setOf, setOf, concrete, (held, scopes, needed) => {
      expect(covers(intersection(held, scopes), needed)).toBe(covers(held, needed) && covers(scopes, needed));
    }),
  );
});

it("a tenant's admin can hand on everything of the tenant and nothing of the platform", () => {
  expect(beyond(new Set(["admin:*"]), ["files:*", "admin:*", "platform:*", "platform:read"])).toEqual([
    "platform:*",
    "platform:read",
  ]);
});

it("a part does not cover the whole", () => {
  expect(beyond(new Set(["files:read"]), ["files:*"])).toEqual(["files:*"]);
});
