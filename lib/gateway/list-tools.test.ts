import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PermissionMap } from "@/lib/access/decide";
import { authorize } from "@/lib/gateway/authorize";
import type { Identity } from "@/lib/gateway/identity";
import { listTools, SEPARATOR } from "@/lib/gateway/list-tools";
import { searchTools } from "@/lib/gateway/search-tools";
import type { Entrance } from "@/lib/gateway/tool-call";
import { makeKillSet, type ThrownSwitch } from "@/lib/kill-switches/kill-set";
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
  const identity = {
    tenantId: "t",
    permissions: new Set(held),
    actor: { type: "agent", name: "a" },
  } as unknown as Identity;
  const killSwitches = () => makeKillSet([]);
  const gateway = { permissionMap: async () => permissionMap, servers: async () => registered, killSwitches };
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

  it("is refused to an agent that is stopped, and searching too; tools that are stopped stay listed", async () => {
    const { gateway, identity } = build({
      servers: [{ slug: "files", tools: ["read"] }],
      map: { "files/read": "files:read" },
      held: ["files:read"],
    });
    const append = () => Promise.reject(new Error("a search that was refused is no entry of a search"));
    const stopped = (kind: ThrownSwitch["kind"], target: string) => {
      const killSwitches = () => makeKillSet([{ id: "1", kind, target, reason: "it went wild" }]);
      return { ...gateway, append, killSwitches };
    };
    for (const [kind, target] of [
      ["agent", "a"],
      ["tenant", ""],
    ] as const) {
      const deps = stopped(kind, target);
      await expect(listTools(deps, identity, null)).rejects.toMatchObject({ code: "killed" });
      await expect(listTools(deps, identity, "files")).rejects.toMatchObject({ code: "killed" });
      const entrance = { era: "modern" } as Entrance;
      await expect(searchTools(deps, identity, entrance, { query: "read", limit: 1 })).rejects.toMatchObject({
        code: "killed",
      });
    }
    expect((await listTools(stopped("server", "files"), identity, null)).count).toBe(1);
    expect((await listTools(stopped("tool", "files/read"), identity, null)).count).toBe(1);
    expect((await listTools(stopped("agent", "another"), identity, null)).count).toBe(1);
  });
});
