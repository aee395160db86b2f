import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from "@modelcontextprotocol/client";
import { Client as OldClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as OldTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { boot, shutdown } from "@/lib/gateway/boot";
import { createWorld, type Mount, openDoor, type World } from "@/lib/testing/gateway-world";
import { rpc } from "@/lib/testing/rpc";

type Result = { content?: unknown; isError?: boolean; _meta?: Record<string, unknown> };
/** What the matrix asks of a client, whatever its generation. */
type AnyClient = {
  readonly version: () => string | undefined;
  readonly tools: () => Promise<string[]>;
  readonly templates: () => Promise<unknown>;
  readonly call: (name: string, args: Record<string, unknown>, onprogress?: (p: unknown) => void) => Promise<Result>;
  readonly close: () => Promise<void>;
};

async function oldClient(url: string, key: string): Promise<AnyClient> {
  const transport = new OldTransport(new URL(url), { requestInit: { headers: { authorization: `Bearer ${key}` } } });
  const client = new OldClient({ name: "v1", version: "1" });
  // Its transport type predates exactOptionalPropertyTypes.
  await client.connect(transport as Parameters<typeof client.connect>[0]);
  return {
    version: () => transport.protocolVersion,
    tools: async () => (await client.listTools()).tools.map((tool) => tool.name),
    templates: () => client.listResourceTemplates(),
    call: async (name, args, onprogress) =>
      (await client.callTool({ name, arguments: args }, undefined, onprogress ? { onprogress } : {})) as Result,
    close: async () => {
      await transport.terminateSession();
      await client.close();
    },
  };
}

const newClient =
  (mode: "auto" | "legacy" | { pin: string }) =>
  async (url: string, key: string): Promise<AnyClient> => {
    const transport = new ModernTransport(new URL(url), {
      requestInit: { headers: { authorization: `Bearer ${key}` } },
    });
    const client = new ModernClient({ name: "v2", version: "1" }, { versionNegotiation: { mode } });
    await client.connect(transport);
    return {
      version: () => client.getNegotiatedProtocolVersion(),
      tools: async () => (await client.listTools()).tools.map((tool) => tool.name),
      templates: () => client.listResourceTemplates(),
      call: async (name, args, onprogress) =>
        (await client.callTool({ name, arguments: args }, onprogress ? { onprogress } : {})) as Result,
      close: () => client.close(),
    };
  };

const CLIENTS: readonly [string, (url: string, key: string) => Promise<AnyClient>, string][] = [
  ["the v1 SDK", oldClient, "2025-11-25"],
  ["the v2 SDK, legacy", newClient("legacy"), "2025-11-25"],
  ["the v2 SDK, auto", newClient("auto"), "2026-07-28"],
  ["the v2 SDK, modern", newClient({ pin: "2026-07-28" }), "2026-07-28"],
];

let world: World;
beforeAll(async () => {
  await boot();
  world = await createWorld({
    files: { tools: ["read", "drop"], map: { read: "files:read", drop: "files:delete" }, progress: 2 },
    notes: { tools: ["add"], map: { add: "notes:write" }, era: "legacy" },
    // Says that it has resources, and knows no templates: so do many servers.
    plain: { tools: [], map: { "resources:read": "plain:read" }, capabilities: { tools: {}, resources: {} } },
  });
});
afterAll(async () => {
  await world.close();
  await shutdown();
});

describe.each<Mount>(["node", "web"])("mounted by %s", (mount) => {
  let door: Awaited<ReturnType<typeof openDoor>>;
  beforeAll(async () => {
    door = await openDoor(mount);
  });
  afterAll(() => door.close());

  it.each(CLIENTS)(
    "%s lists what it may call, calls it, hears of progress and is refused the rest",
    async (_, connect, version) => {
      const { key } = await world.agent("files:read", "notes:write");
      const client = await connect(door.url, key);
      expect(client.version()).toBe(version);
      expect(await client.tools()).toEqual(["files__read", "notes__add"]);
      const progress: unknown[] = [];
      const read = await client.call("files__read", { path: "a" }, (each) => progress.push(each));
      expect(read.content).toEqual([{ type: "text", text: '{"path":"a"}' }]);
      expect(read._meta?.["dev.countersign/entry"]).toMatch(/^[0-9a-f-]{36}$/);
      expect(progress).toHaveLength(2);
      expect((await client.call("notes__add", {})).isError).toBeUndefined();
      for (const name of ["files__drop", "files__none"]) {
        const refused = await client.call(name, {});
        expect(refused.isError).toBe(true);
        expect(refused._meta?.["dev.countersign/error"]).toMatchObject({ code: "permission_denied" });
      }
      await client.close();
    },
  );

  it.each(["modern", "legacy"] as const)(
    "gives JSON to a client of the %s era that takes nothing else",
    async (era) => {
      const { key } = await world.agent("files:read");
      const answered = async (accept: string) => {
        const options = { era, key, headers: { accept }, meta: { progressToken: "t" } };
        const params = { name: "files__read", arguments: { path: "a" } };
        const { headers, body, text } = await rpc(door.url, "tools/call", params, options);
        return [headers.get("content-type"), body?.result.content[0].text ?? text.match(/"method":"[^"]+"/g)];
      };
      expect(await answered("application/json")).toEqual(["application/json", '{"path":"a"}']);
      const told = Array(2).fill('"method":"notifications/progress"');
      for (const accept of ["application/json, text/event-stream", "*/*"])
        expect(await answered(accept)).toEqual(["text/event-stream", told]);
    },
  );

  it.each(CLIENTS)("%s sees original names at the door of one server", async (_, connect) => {
    const { key } = await world.agent("notes:*");
    const client = await connect(`${door.url}/notes`, key);
    expect(await client.tools()).toEqual(["add"]);
    expect((await client.call("add", { text: "x" })).content).toEqual([{ type: "text", text: '{"text":"x"}' }]);
    await client.close();
  });

  it.each(CLIENTS)("%s is told in the server's words what the one server does not list", async (_, connect) => {
    const { key } = await world.agent("plain:read");
    const client = await connect(`${door.url}/plain`, key);
    await expect(client.templates()).rejects.toMatchObject({
      code: -32601,
      message: expect.stringContaining("not found"),
    });
    await client.close();
  });

  it.each(CLIENTS)("%s is told when its key is no good", async (_, connect) => {
    await expect(connect(door.url, `cs_${"x".repeat(43)}`)).rejects.toThrow(/401|unauthenticated|not known/i);
  });
});
