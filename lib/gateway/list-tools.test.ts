import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PermissionMap } from "@/lib/access/decide";
import { authorize } from "@/lib/gateway/authorize";
import type { Identity } from "@/lib/gateway/identity";
import { listTools, SEPARATOR } from "@/lib/gateway/list-tools";
import type { RegisteredServer } from "@/lib/servers/registered-server";

const slug = fc.constantFrom("files", "notes", "crm");
const tool = fc.constantFrom("read", "write", "drop", "a__b", "x.y");
const permission = fc.constantFrom(
  "files:read",
  "files:*",
  "notes:write",
  "admin:*",
  "platform:*",
  "nonsense",
  "crm:read",
);
const world = fc.record({
  servers: fc.uniqueArray(fc.record({ slug, tools: fc.uniqueArray(tool) }), { selector: (server) => server.slug }),
  map: fc.dictionary(
    fc.tuple(slug, tool).map((pair) => pair.join("/")),
    permission,
  ),
  held: fc.uniqueArray(permission),
});
type Drawn = typeof world extends fc.Arbitrary<infer T> ? T : never;

function build({ servers, map, held }: Drawn) {
  const permissionMap: PermissionMap = { version: 1, sha256: "x", get: (server, name) => map[`${server}/${name}`] };
  const registered = new Map(
    servers.map(({ slug: at, tools }) => {
      const definitions = tools.map((name) => [name, { definition: { name, inputSchema: {} }, sha256: "d" }] as const);
      return [at, { slug: at, tools: new Map(definitions) } as unknown as RegisteredServer];
    }),
  );
  const identity = { tenantId: "t", permissions: new Set(held) } as unknown as Identity;
  const gateway = { permissionMap: async () => permissionMap, servers: async () => registered };
  return { permissionMap, registered, identity, gateway };
}

const mayCall = (drawn: ReturnType<typeof build>, server: string, name: string): boolean => {
  try {
    authorize(drawn.identity, drawn.permissionMap, drawn.registered, { server, tool: name });
    return true;
  } catch {
    return false;
  }
};

describe("the list of tools", () => {
  it("holds exactly the tools that may be called, at both doors", async () => {
    const slugs = ["files", "notes", "crm"];
    const tools = ["read", "write", "drop", "a__b", "x.y"];
    await fc.assert(
      fc.asyncProperty(world, async (drawn) => {
        const built = build(drawn);
        const callable = slugs.flatMap((server) =>
          tools.filter((name) => mayCall(built, server, name)).map((name) => `${server}${SEPARATOR}${name}`),
        );
        const names = async (at: string | null) => {
          const { json } = await listTools(built.gateway, built.identity, at);
          return (JSON.parse(json) as { name: string }[]).map((each) => each.name);
        };
        expect(await names(null)).toEqual(callable.sort());
        for (const at of slugs) {
          const own = callable.filter((name) => name.startsWith(`${at}${SEPARATOR}`));
          expect((await names(at)).map((name) => `${at}${SEPARATOR}${name}`)).toEqual(own.sort());
        }
      }),
      { numRuns: 500 },
    );
  });
});
