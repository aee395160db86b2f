import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import {
  LoggingMessageNotificationSchema,
  ResourceUpdatedNotificationSchema,
} from "@modelcontextprotocol/sdk/types.js";
import { createClient } from "redis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { changePermissionMap } from "@/lib/access/change-permission-map";
import { currentPermissionMap } from "@/lib/access/permission-map";
import { perform } from "@/lib/audit/perform";
import { newId } from "@/lib/core/ids";
import { registerServer } from "@/lib/servers/register-server";
import { enableServer } from "@/lib/servers/switch-server";
import { type ConformanceUpstream, startConformanceUpstream } from "@/lib/testing/conformance-upstream";
import { bundleServer, freePort, gone, startDoor } from "@/lib/testing/door-processes";
import { createWorld, type World } from "@/lib/testing/gateway-world";
import { rpc } from "@/lib/testing/rpc";
import { testRedisUrl } from "@/lib/testing/test-redis";

const url = testRedisUrl ?? "";
const PATIENCE = { timeout: 30_000, interval: 200 };
const PERMISSION = "asking:call";
const WATCHED = "asking+test://watched-resource";

/** One client whose messages go to whichever process is chosen, as behind a balancer without sticky sessions. */
async function roamingClient(first: string, key: string) {
  let at = first;
  const send: typeof fetch = (asked, init) => fetch(String(asked).replace(first, at), init);
  const headers = { authorization: `Bearer ${key}` };
  const transport = new StreamableHTTPClientTransport(new URL(`${first}/api/mcp`), {
    requestInit: { headers },
    fetch: send,
  });
  const client = new Client({ name: "roams", version: "1" });
  const [logs, updates]: [unknown[], string[]] = [[], []];
  client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => void logs.push(params.data));
  client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => void updates.push(params.uri));
  await client.connect(transport as Parameters<typeof client.connect>[0]);
  const goTo = (base: string) => {
    at = base;
  };
  return { client, logs, updates, goTo };
}

/** The stream behind GET, which counts how often it is told of a changed resource. */
async function openStream(base: string, key: string, session: Record<string, string>) {
  const left = new AbortController();
  const headers = { authorization: `Bearer ${key}`, accept: "text/event-stream", ...session };
  const { body } = await fetch(`${base}/api/mcp`, { headers, signal: left.signal });
  let text = "";
  const read = async () => {
    for await (const chunk of body?.pipeThrough(new TextDecoderStream()) ?? []) text += chunk;
  };
  read().catch(() => undefined);
  return { count: () => text.split("notifications/resources/updated").length - 1, close: () => left.abort() };
}

describe.skipIf(url === "")(
  `a session over several processes${url === "" ? " (not run: set CS_TEST_REDIS_URL)" : ""}`,
  () => {
    const prefix = `cs-test-${newId().slice(-12)}`;
    const closers: (() => Promise<unknown> | unknown)[] = [];
    let world: World;
    let asking: ConformanceUpstream;
    let entry: string;
    let [one, two]: [string, string] = ["", ""];

    beforeAll(async () => {
      world = await createWorld({});
      asking = await startConformanceUpstream("legacy");
      closers.push(() => asking.close(), world.close);
      const endpoint = { transport: "http", url: asking.url } as const;
      const { id } = await perform(registerServer, world.tenant.ctx(), { slug: "asking", name: "asking", endpoint });
      await perform(enableServer, world.tenant.ctx(), { id });
      const { version } = await currentPermissionMap(world.tenant.tenantId);
      const tools = ["test_tool_with_logging", "touch_resource", "resources:read"];
      const changes = tools.map((tool) => ({ server: "asking", tool, permission: PERMISSION }));
      await perform(changePermissionMap, world.tenant.ctx(), { baseVersion: version, changes, reason: "for the test" });
      const bundle = await bundleServer();
      closers.push(bundle.remove);
      entry = bundle.entry;
      [one, two] = await Promise.all([open(), open()]);
    });
    afterAll(async () => {
      for (const close of closers.reverse()) await close();
      const redis = createClient({ url });
      await redis.connect();
      for await (const keys of redis.scanIterator({ MATCH: `${prefix}:*` })) if (keys.length > 0) await redis.del(keys);
      redis.destroy();
    });

    async function open(): Promise<string> {
      const port = await freePort();
      const env = { REDIS_PREFIX: prefix, REDIS_URL: url, EGRESS_ALLOW: "127.0.0.0/8" };
      const child = await startDoor(entry, port, { env });
      closers.push(async () => {
        child.kill("SIGKILL");
        await gone(child);
      });
      return `http://127.0.0.1:${port}`;
    }

    it("has its log level in all of them, in one that knew it before and in one that starts later", async () => {
      const { key } = await world.agent(PERMISSION);
      const { client, logs, goTo } = await roamingClient(one, key);
      const call = () => client.callTool({ name: "asking__test_tool_with_logging", arguments: {} });
      await call();
      expect(logs).toEqual([]);
      goTo(two);
      await client.setLoggingLevel("debug");
      goTo(one);
      await expect
        .poll(async () => {
          await call();
          return logs.length;
        }, PATIENCE)
        .toBeGreaterThan(0);
      goTo(await open());
      const before = logs.length;
      await call();
      expect(logs.length).toBe(before + 3);
      await client.close();
    });

    it("is told of each change on one of its streams, the newest, whichever process has it", async () => {
      const { key } = await world.agent(PERMISSION);
      const hello = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "twice", version: "1" } };
      const { headers } = await rpc(`${one}/api/mcp`, "initialize", hello, { era: "legacy", key });
      const session = { "mcp-session-id": headers.get("mcp-session-id") ?? "" };
      const say = (method: string, params: Record<string, unknown>) =>
        rpc(`${one}/api/mcp`, method, params, { era: "legacy", key, headers: session });
      await say("resources/subscribe", { uri: WATCHED });
      const [older, newer] = [await openStream(one, key, session), await openStream(two, key, session)];
      /** How often each is told of one change. */
      const told = async (): Promise<number[]> => {
        const before = [older.count(), newer.count()];
        await say("tools/call", { name: "asking__touch_resource", arguments: { uri: "test://watched-resource" } });
        await new Promise((resolve) => setTimeout(resolve, 500));
        return [older.count() - (before[0] ?? 0), newer.count() - (before[1] ?? 0)];
      };
      await expect.poll(told, PATIENCE).toEqual([0, 1]);
      expect(await told()).toEqual([0, 1]);
      newer.close();
      await expect.poll(told, PATIENCE).toEqual([1, 0]);
      older.close();
    });

    it("hears on its stream in one process of what it follows by way of another", async () => {
      const { key } = await world.agent(PERMISSION);
      const { client, updates, goTo } = await roamingClient(one, key);
      const touch = () =>
        client.callTool({ name: "asking__touch_resource", arguments: { uri: "test://watched-resource" } });
      await touch();
      goTo(two);
      await client.subscribeResource({ uri: WATCHED });
      await expect
        .poll(async () => {
          await touch();
          return updates.includes(WATCHED);
        }, PATIENCE)
        .toBe(true);
      await client.unsubscribeResource({ uri: WATCHED });
      // What was on its way may still arrive; then there is silence.
      await expect
        .poll(async () => {
          const before = updates.length;
          await touch();
          await new Promise((resolve) => setTimeout(resolve, 300));
          return updates.length - before;
        }, PATIENCE)
        .toBe(0);
      await client.close();
    });
  },
);
