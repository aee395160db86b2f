import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decide, type PermissionMap } from "@/lib/access/decide";
import { covers, UNMAPPED_PERMISSION } from "@/lib/core/permission";

const mapOf = (entries: Readonly<Record<string, string>>): PermissionMap => {
  const rules = new Map(Object.entries(entries));
  return { version: 3, sha256: "0".repeat(64), get: (server, tool) => rules.get(`${server}/${tool}`) };
};

const name = fc.constantFrom("files", "memory", "tickets", "platform", "admin", "audit");
const action = fc.constantFrom("read", "write", "delete", "execute", "*");
const permission = fc.tuple(name, action).map(([left, right]) => `${left}:${right}`);
const held = fc.uniqueArray(permission, { maxLength: 6 }).map((list) => new Set(list));
const ref = fc.record({
  server: fc.constantFrom("a", "b"),
  tool: fc.constantFrom("x", "y", "constructor", "__proto__"),
});
const map = fc
  .array(fc.tuple(ref, permission), { maxLength: 6 })
  .map((rules) => mapOf(Object.fromEntries(rules.map(([at, needed]) => [`${at.server}/${at.tool}`, needed]))));

describe("decide", () => {
  it("says yes to exactly those who hold what the map asks for", () => {
    const rules = mapOf({ "files/read_file": "files:read" });
    const at = { server: "files", tool: "read_file" };
    expect(decide(rules, new Set(["files:read"]), at)).toMatchObject({ allow: true, needed: "files:read" });
    expect(decide(rules, new Set(["files:*"]), at).allow).toBe(true);
    expect(decide(rules, new Set(["admin:*"]), at).allow).toBe(true);
    expect(decide(rules, new Set(["files:write", "memory:*"]), at)).toMatchObject({
      allow: false,
      missing: "files:read",
      rule: "map:files/read_file=files:read",
    });
    expect(decide(rules, new Set(), at).allow).toBe(false);
  });

  it("names the roles and the wildcard that allowed", () => {
    const rules = mapOf({ "files/read_file": "files:read" });
    const roles = [
      { slug: "reader", permissions: ["files:read", "memory:read"] },
      { slug: "owner", permissions: ["files:*"] },
      { slug: "other", permissions: ["memory:*"] },
    ];
    const decision = decide(
      rules,
      new Set(roles.flatMap((role) => role.permissions)),
      { server: "files", tool: "read_file" },
      roles,
    );
    expect(decision.via).toEqual([
      { role: "reader", permission: "files:read" },
      { role: "owner", permission: "files:*" },
    ]);
  });

  it("denies everybody where the mapping is broken", () => {
    for (const broken of ["", "files", "Files:Read", "files:read ", "*:*", "admin", ":"]) {
      const decision = decide(mapOf({ "a/x": broken }), new Set(["admin:*", broken]), { server: "a", tool: "x" });
      expect(decision).toMatchObject({ allow: false, rule: "invalid:a/x" });
    }
  });

  it("lets an error of the map through instead of allowing", () => {
    const failing: PermissionMap = {
      version: 1,
      sha256: "",
      get: () => {
        throw new Error("no map");
      },
    };
    expect(() => decide(failing, new Set(["admin:*"]), { server: "a", tool: "x" })).toThrow("no map");
  });

  it("needs admin:* for an unmapped tool, and nothing else will do", () => {
    fc.assert(
      fc.property(held, ref, (holding, at) => {
        const decision = decide(mapOf({}), holding, at);
        expect(decision.needed).toBe(UNMAPPED_PERMISSION);
        expect(decision.rule).toBe("unmapped");
        expect(decision.allow).toBe(holding.has(UNMAPPED_PERMISSION));
      }),
    );
  });

  it("means the same by wildcards as covers()", () => {
    fc.assert(
      fc.property(map, held, ref, (rules, holding, at) => {
        const needed = rules.get(at.server, at.tool) ?? UNMAPPED_PERMISSION;
        expect(decide(rules, holding, at).allow).toBe(covers(holding, needed));
      }),
    );
  });

  it("never takes away when more is held", () => {
    fc.assert(
      fc.property(map, held, held, ref, (rules, some, more, at) => {
        fc.pre(decide(rules, some, at).allow);
        expect(decide(rules, new Set([...some, ...more]), at).allow).toBe(true);
      }),
    );
  });

  it("keeps the platform's namespace out of reach of admin:*", () => {
    fc.assert(
      fc.property(held, ref, (holding, at) => {
        const rules = mapOf({ [`${at.server}/${at.tool}`]: "platform:write" });
        const entitled = holding.has("platform:*") || holding.has("platform:write");
        expect(decide(rules, new Set([...holding, "admin:*"]), at).allow).toBe(entitled);
      }),
    );
  });

  it("lists a tool exactly when it may be called, whatever else is in the list", () => {
    const catalog = ["a", "b"].flatMap((server) =>
      ["x", "y", "constructor", "__proto__"].map((tool) => ({ server, tool })),
    );
    fc.assert(
      fc.property(map, held, (rules, holding) => {
        const listed = new Set(catalog.filter((at) => decide(rules, holding, at).allow));
        for (const at of catalog) expect(listed.has(at)).toBe(decide(rules, holding, { ...at }).allow);
      }),
    );
  });

  it("allows with a reason: some role in the trace holds something that covers", () => {
    const roles = fc.array(
      fc.record({ slug: fc.constantFrom("r1", "r2", "r3"), permissions: fc.uniqueArray(permission, { maxLength: 4 }) }),
      {
        maxLength: 3,
      },
    );
    fc.assert(
      fc.property(map, roles, ref, (rules, holding, at) => {
        const decision = decide(rules, new Set(holding.flatMap((role) => role.permissions)), at, holding);
        expect(decision.via.length > 0).toBe(decision.allow);
        for (const { permission: given } of decision.via) expect(covers(new Set([given]), decision.needed)).toBe(true);
      }),
    );
  });
});
