import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { changePermissionMap } from "@/lib/access/change-permission-map";
import { currentPermissionMap } from "@/lib/access/permission-map";
import { perform } from "@/lib/audit/perform";
import { boot, shutdown } from "@/lib/gateway/boot";
import type { KillKind } from "@/lib/kill-switches/schemas";
import { liftKillSwitch, throwKillSwitch } from "@/lib/kill-switches/throw-kill-switch";
import { META, MODERN_VERSION } from "@/lib/mcp/upstream/protocol";
import { createProfile } from "@/lib/profiles/change-profile";
import { registerServer } from "@/lib/servers/register-server";
import { enableServer } from "@/lib/servers/switch-server";
import { type ConformanceUpstream, startConformanceUpstream } from "@/lib/testing/conformance-upstream";
import { createTestAgent, createTestTenant, type TestAgent, type TestTenant } from "@/lib/testing/factories";
import { startFakeUpstream } from "@/lib/testing/fake-upstream";
import { openDoor } from "@/lib/testing/gateway-world";
import { readTrail } from "@/lib/testing/read-trail";
import { rpc } from "@/lib/testing/rpc";

const SERVERS = ["one", "two"] as const;
const LISTS = { "resources/list": "resources", "prompts/list": "prompts" } as const;
type Lister = keyof typeof LISTS;
type Era = "modern" | "legacy";

let tenant: TestTenant;
let agent: TestAgent;
let door: Awaited<ReturnType<typeof openDoor>>;
const upstreams: ConformanceUpstream[] = [];
const thrown: string[] = [];

beforeAll(async () => {
  await boot();
  tenant = await createTestTenant();
  for (const slug of SERVERS) {
    const upstream = await startConformanceUpstream("both");
    upstreams.push(upstream);
    const endpoint = { transport: "http", url: upstream.url } as const;
    const { id } = await perform(registerServer, tenant.ctx(), { slug, name: slug, endpoint });
    await perform(enableServer, tenant.ctx(), { id });
  }
  const { version } = await currentPermissionMap(tenant.tenantId);
  const keys = ["resources:read", "prompts:get", "test_simple_text", "touch_resource"];
  const changes = SERVERS.flatMap((server) => keys.map((tool) => ({ server, tool, permission: "all:use" })));
  await perform(changePermissionMap, tenant.ctx(), { baseVersion: version, changes, reason: "for the test" });
  agent = await createTestAgent(tenant, ["all:use"]);
  door = await openDoor("node");
});
afterEach(async () => {
  for (const id of thrown.splice(0)) await perform(liftKillSwitch, tenant.ctx(), { id });
});
afterAll(async () => {
  await door.close();
  await Promise.all(upstreams.map((upstream) => upstream.close()));
  await shutdown();
});

async function stop(kind: KillKind, target = ""): Promise<void> {
  thrown.push((await perform(throwKillSwitch, tenant.ctx(), { kind, target, reason: "for the test" })).id);
}

function ask(path: string, method: string, params: Record<string, unknown>, era: Era = "modern", key = agent.key) {
  const { uri } = params;
  return rpc(`${door.url}${path}`, method, params, {
    ...{ era, key },
    headers: typeof uri === "string" ? { "mcp-name": uri } : {},
  });
}

/** The servers whose things are listed at a door. */
async function listedAt(path: string, method: Lister, era: Era = "modern"): Promise<string[]> {
  const { body } = await ask(path, method, {}, era);
  const items: { uri?: string; name: string }[] = body.result[LISTS[method]];
  return [...new Set(items.map(({ uri, name }) => (uri ?? name).split(/\+|__/)[0] ?? ""))].sort();
}

const read = (server: string, path = "", era: Era = "modern") =>
  ask(path, "resources/read", { uri: `${server}+test://static-text` }, era);
const prompt = (server: string, path = "", era: Era = "modern") =>
  ask(path, "prompts/get", { name: `${server}__test_simple_prompt` }, era);

describe.each(["modern", "legacy"] as const)("a kill switch before a %s client", (era) => {
  it("keeps the resources and prompts of a stopped server from being asked for, and those of others not", async () => {
    for (const method of ["resources/list", "prompts/list"] as const)
      expect(await listedAt("", method, era)).toEqual(["one", "two"]);
    await stop("server", "one");
    for (const method of ["resources/list", "prompts/list"] as const) {
      expect(await listedAt("", method, era)).toEqual(["two"]);
      const { body } = await ask("/one", method, {}, era);
      expect(body.error.data).toMatchObject({ code: "killed", entry: expect.any(String) });
      expect((await ask("/two", method, {}, era)).body.error).toBeUndefined();
    }
    expect((await read("one", "", era)).body.error.data.code).toBe("killed");
    expect((await prompt("one", "", era)).body.error.data.code).toBe("killed");
    expect((await read("two", "", era)).body.result.contents).toHaveLength(1);
  });

  it.each(["agent", "tenant"] as const)(
    "on the %s refuses the lists, and lets them through once lifted",
    async (kind) => {
      await stop(kind, kind === "agent" ? agent.slug : "");
      for (const method of ["resources/list", "resources/templates/list", "prompts/list"]) {
        const { body } = await ask("", method, {}, era);
        expect([method, body.error.data.code]).toEqual([method, "killed"]);
      }
      for (const id of thrown.splice(0)) await perform(liftKillSwitch, tenant.ctx(), { id });
      expect(await listedAt("", "resources/list", era)).toEqual(["one", "two"]);
    },
  );
});

it.each(["constructor", "toString", "__proto__", "hasOwnProperty"])(
  "does not take the method %s for a list, nor does the trail tell of one",
  async (method) => {
    const listings = async () =>
      (await readTrail(tenant.tenantId)).filter(({ type }) => type === "resource_list.read").length;
    const before = await listings();
    for (const era of ["modern", "legacy"] as const)
      expect((await ask("", method, {}, era)).body).toMatchObject({ error: { code: -32601 } });
    expect(await listings()).toBe(before);
  },
);

/** A `subscriptions/listen` that notes what it hears. */
async function listen(path: string, resourceSubscriptions: readonly string[], key = agent.key) {
  const over = new AbortController();
  const lists = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true };
  const notifications = { ...lists, resourceSubscriptions, somethingElse: true };
  const _meta = { [META.protocolVersion]: MODERN_VERSION, [META.clientCapabilities]: {} };
  const method = "subscriptions/listen";
  const response = await fetch(`${door.url}${path}`, {
    method: "POST",
    signal: over.signal,
    headers: {
      ...{ authorization: `Bearer ${key}`, "content-type": "application/json" },
      ...{
        accept: "application/json, text/event-stream",
        "mcp-protocol-version": MODERN_VERSION,
        "mcp-method": method,
      },
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: { notifications, _meta } }),
  });
  const heard: string[] = [];
  const state = { ended: false };
  const reading = (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) heard.push(decoder.decode(chunk as Uint8Array));
  })().then(
    () => (state.ended = true),
    () => undefined,
  );
  return {
    status: response.status,
    told: () => heard.join(""),
    ended: () => state.ended,
    close: async () => {
      over.abort();
      await reading;
    },
  };
}

describe("a stream of what happens", () => {
  it("begins with what will be told, which is no more than the caller may hear of", async () => {
    const uris = ["one+test://watched-resource", "two+test://watched-resource", "three+test://x", "none"];
    const agreed = async (key: string) => {
      const stream = await listen("", uris, key);
      await expect.poll(() => stream.told().includes("\n\n"), { timeout: 20_000 }).toBe(true);
      await stream.close();
      const { method, params } = JSON.parse(/^data: (.*)$/m.exec(stream.told())?.[1] ?? "{}");
      expect(method).toBe("notifications/subscriptions/acknowledged");
      return params.notifications;
    };
    const lists = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true };
    expect(await agreed(agent.key)).toEqual({ ...lists, resourceSubscriptions: uris.slice(0, 2) });
    const stranger = await createTestAgent(tenant, ["nothing:here"]);
    expect(await agreed(stranger.key)).toEqual({ toolsListChanged: true });
  });

  it("ends when its agent is stopped, and is not opened meanwhile", async () => {
    const stream = await listen("", []);
    expect(stream.status).toBe(200);
    await stop("agent", agent.slug);
    await expect.poll(stream.ended, { timeout: 20_000 }).toBe(true);
    const refused = await listen("", []);
    expect(refused.status).toBe(403);
    await expect.poll(() => refused.told().includes('"code":"killed"'), { timeout: 20_000 }).toBe(true);
    await Promise.all([stream.close(), refused.close()]);
  }, 120_000);

  it("tells no more of a server that is stopped, and goes on telling of the others", async () => {
    const uri = "test://watched-resource";
    const uris = SERVERS.map((server) => `${server}+${uri}`);
    const stream = await listen("", uris);
    /** Touches the resource past the door, and says whose change was told since. */
    const round = async (told: () => string) => {
      const before = told().length;
      const params = { name: "touch_resource", arguments: { uri } };
      for (const { url } of upstreams) await rpc(url, "tools/call", params);
      await expect
        .poll(() => told().slice(before).includes(`"uri":"${uris[1]}"`), { timeout: 1_000 })
        .toBe(true)
        .catch(() => undefined);
      return uris.map((each) => told().slice(before).includes(`"uri":"${each}"`));
    };
    const rounds = (told: () => string) => expect.poll(() => round(told), { timeout: 30_000, interval: 100 });
    await rounds(stream.told).toEqual([true, true]);
    await stop("server", "one");
    await rounds(stream.told).toEqual([false, true]);
    expect(await round(stream.told)).toEqual([false, true]);
    const later = await listen("", uris);
    await rounds(later.told).toEqual([false, true]);
    const single = await listen("/one", []);
    expect(single.status).toBe(403);
    await Promise.all([stream.close(), later.close(), single.close()]);
  }, 180_000);
});

it("says of a list that has no end that only its beginning is here", async () => {
  const endless = await startFakeUpstream({ capabilities: { tools: {}, resources: {} } });
  const other = await createTestTenant();
  const endpoint = { transport: "http", url: endless.url } as const;
  const { id } = await perform(registerServer, other.ctx(), { slug: "long", name: "long", endpoint });
  await perform(enableServer, other.ctx(), { id });
  const { key } = await createTestAgent(other, ["admin:*"]);
  endless.setListing({ endless: [{ uri: "test://a", name: "a", inputSchema: { type: "object" } }] });
  const { body } = await ask("", "resources/list", {}, "modern", key);
  expect(body.result).toMatchObject({ resources: { length: 100 }, _meta: { "dev.countersign/cut": ["long"] } });
  await endless.close();
});

describe("a profile", () => {
  const make = (slug: string, ...lines: string[]) =>
    perform(createProfile, tenant.ctx(), {
      slug,
      name: slug,
      tools: lines.map((line) => ({ server: line.split("/")[0] ?? "", tool: line.split("/")[1] ?? "" })),
    });
  beforeAll(async () => {
    await make("tools-only", "one/test_*");
    await make("reading", "one/test_simple_text", "one/resources:read");
    await make("asking", "two/prompts:get");
    await make("whole", "two/*");
  });

  it.each<[string, readonly string[], readonly string[]]>([
    ["tools-only", [], []],
    ["reading", ["one"], []],
    ["asking", [], ["two"]],
    ["whole", ["two"], ["two"]],
  ])("%s gives on to the resources and prompts that it names, and to no others", async (slug, resources, prompts) => {
    const path = `/p/${slug}`;
    expect(await listedAt(path, "resources/list")).toEqual(resources);
    expect(await listedAt(path, "prompts/list")).toEqual(prompts);
    for (const server of SERVERS) {
      const [contents, messages] = [await read(server, path), await prompt(server, path)];
      if (resources.includes(server)) expect(contents.body.result.contents).toHaveLength(1);
      else expect(contents.body.error.data.code).toBe("not_found");
      if (prompts.includes(server)) expect(messages.body.result.messages).toHaveLength(1);
      else expect(messages.body.error.data.code).toBe("not_found");
      const ref = { type: "ref/prompt", name: `${server}__test_prompt_with_arguments` };
      const done = await ask(path, "completion/complete", { ref, argument: { name: "arg1", value: "par" } });
      if (prompts.includes(server)) expect(done.body.result.completion.values).toContain("paris");
      else expect(done.body.error.data.code).toBe("not_found");
    }
    const { capabilities } = (await ask(path, "server/discover", {})).body.result;
    expect(["resources" in capabilities, "prompts" in capabilities]).toEqual([
      resources.length > 0,
      prompts.length > 0,
    ]);
    // The control: at the joint door the same agent may.
    for (const server of SERVERS) expect((await read(server)).body.result.contents).toHaveLength(1);
  });
});
