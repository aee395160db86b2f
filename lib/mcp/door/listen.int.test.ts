import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { changePermissionMap } from "@/lib/access/change-permission-map";
import { changeRoleGrants } from "@/lib/access/change-role-grants";
import { currentPermissionMap } from "@/lib/access/permission-map";
import { perform } from "@/lib/audit/perform";
import { inTenant } from "@/lib/db/in-tenant";
import { tenantSql } from "@/lib/db/sql";
import { boot, shutdown } from "@/lib/gateway/boot";
import { changeSubscription } from "@/lib/mcp/door/session-notes";
import { changeServer } from "@/lib/servers/change-server";
import { registerServer } from "@/lib/servers/register-server";
import { disableServer, enableServer } from "@/lib/servers/switch-server";
import { type ConformanceUpstream, startConformanceUpstream } from "@/lib/testing/conformance-upstream";
import { createTestAgent, createTestTenant, type TestAgent, type TestTenant } from "@/lib/testing/factories";
import { openDoor } from "@/lib/testing/gateway-world";
import { rpc } from "@/lib/testing/rpc";

const PATIENCE = { timeout: 30_000, interval: 200 };
/** By then a change has to be in force. */
const IN_FORCE_MS = 2_000;
const WATCHED = "test://watched-resource";
const UPDATED = "notifications/resources/updated";

let tenant: TestTenant;
let door: Awaited<ReturnType<typeof openDoor>>;
let upstream: ConformanceUpstream;
let serverId: string;
let reader: TestAgent;
let toucher: TestAgent;
const streams: { close: () => void }[] = [];

beforeAll(async () => {
  await boot();
  door = await openDoor("node");
});
afterAll(async () => {
  await door.close();
  await shutdown();
});
beforeEach(async () => {
  tenant = await createTestTenant();
  upstream = await startConformanceUpstream("legacy");
  const endpoint = { transport: "http", url: upstream.url } as const;
  const credential = { "X-Key": "the old one" };
  // As long as connections to a server that was changed stay open for those who still call.
  const server = { slug: "told", name: "told", endpoint, credential, deadlineMs: 1_000 };
  ({ id: serverId } = await perform(registerServer, tenant.ctx(), server));
  await map("touch_resource", "told:call");
  await map("test_trigger_tool_change", "told:call");
  await map("resources:read", "told:read");
  [reader, toucher] = await Promise.all([
    createTestAgent(tenant, ["told:read"]),
    createTestAgent(tenant, ["told:call"]),
  ]);
});
afterEach(async () => {
  for (const stream of streams.splice(0)) stream.close();
  await upstream.close();
});

async function map(tool: string, permission: string): Promise<void> {
  const { version } = await currentPermissionMap(tenant.tenantId);
  const changes = [{ server: "told", tool, permission }];
  await perform(changePermissionMap, tenant.ctx(), { baseVersion: version, changes, reason: "for the test" });
}

const enable = () => perform(enableServer, tenant.ctx(), { id: serverId });
const disable = () => perform(disableServer, tenant.ctx(), { id: serverId });
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const call = (name: string, args: Record<string, unknown> = {}) =>
  rpc(door.url, "tools/call", { name: `told__${name}`, arguments: args }, { key: toucher.key });
const touch = () => call("touch_resource", { uri: WATCHED });

/** A client of the sessions era; each stream of it notes the methods of what it is told. */
async function begin({ key }: TestAgent) {
  const hello = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "listens", version: "1" } };
  const { headers } = await rpc(door.url, "initialize", hello, { era: "legacy", key });
  const session = { "mcp-session-id": headers.get("mcp-session-id") ?? "" };
  const follow = (uri: string, method = "resources/subscribe") =>
    rpc(door.url, method, { uri: `told+${uri}` }, { era: "legacy", key, headers: session });
  const listen = async () => {
    const left = new AbortController();
    const asked = { authorization: `Bearer ${key}`, accept: "text/event-stream", ...session };
    const answer = await fetch(door.url, { headers: asked, signal: left.signal });
    const stream = { heard: [] as string[], open: true, close: () => left.abort() };
    streams.push(stream);
    const read = async () => {
      for await (const chunk of answer.body?.pipeThrough(new TextDecoderStream()) ?? [])
        for (const [, method] of chunk.matchAll(/"method":"([^"]+)"/g)) stream.heard.push(method ?? "");
    };
    read()
      .catch(() => undefined)
      .finally(() => (stream.open = false));
    return stream;
  };
  return { follow, listen, session: session["mcp-session-id"] };
}

async function hears(stream: { heard: string[] }, method = UPDATED): Promise<boolean> {
  const before = stream.heard.length;
  await touch();
  await pause(300);
  return stream.heard.slice(before).includes(method);
}

it("is told on the stream that it opened what its rights allow by now", async () => {
  await enable();
  const client = await begin(reader);
  const stream = await client.listen();
  await client.follow(WATCHED);
  await expect.poll(() => hears(stream), PATIENCE).toBe(true);
  await map("resources:read", "admin:*");
  await pause(IN_FORCE_MS);
  expect(await hears(stream)).toBe(false);
  await map("resources:read", "told:read");
  await expect.poll(() => hears(stream), PATIENCE).toBe(true);
  const role = await inTenant(tenant.tenantId, (tx) => tx.role.findFirstOrThrow({ where: { id: reader.roleId } }));
  const grant = (granted: boolean) => {
    const changes = [{ role: role.slug, permission: "told:read", granted }];
    return perform(changeRoleGrants, tenant.ctx(["admin:*"]), { changes, reason: "for the test" });
  };
  await grant(false);
  await pause(IN_FORCE_MS);
  expect(await hears(stream)).toBe(false);
  await grant(true);
  await expect.poll(() => hears(stream), PATIENCE).toBe(true);
  expect(stream.open).toBe(true);
});

it("is told what a server announces that was enabled later, and nothing once it is disabled", async () => {
  const client = await begin(reader);
  const stream = await client.listen();
  await enable();
  await expect.poll(upstream.streams, { ...PATIENCE, timeout: IN_FORCE_MS }).toBe(1);
  const before = stream.heard.length;
  await call("test_trigger_tool_change");
  await expect.poll(() => stream.heard.slice(before), PATIENCE).toContain("notifications/tools/list_changed");
  await client.follow(WATCHED);
  await expect.poll(() => hears(stream), PATIENCE).toBe(true);
  await disable();
  await expect.poll(upstream.streams, { ...PATIENCE, timeout: IN_FORCE_MS }).toBe(0);
  const asked = upstream.requests.length;
  // Longer than until a stream that broke is opened again.
  await pause(4_000);
  expect(upstream.requests.length).toBe(asked);
  await enable();
  await expect.poll(() => hears(stream), PATIENCE).toBe(true);
});

it("is told what a server announces after its credential was changed, and the old one is not sent again", async () => {
  await enable();
  const client = await begin(reader);
  const stream = await client.listen();
  await client.follow(WATCHED);
  await expect.poll(() => hears(stream), PATIENCE).toBe(true);
  await perform(changeServer, tenant.ctx(), { id: serverId, credential: { "X-Key": "the new one" } });
  await pause(IN_FORCE_MS);
  const before = upstream.requests.length;
  await expect.poll(() => hears(stream), PATIENCE).toBe(true);
  await pause(4_000);
  const since = upstream.requests.slice(before);
  expect(new Set(since.map((headers) => headers["x-key"]))).toEqual(new Set(["the new one"]));
  expect(upstream.streams()).toBe(1);
});

it("is told no more than its rights allow where no message says that they changed, and nothing without a good key", async () => {
  await enable();
  const client = await begin(reader);
  const stream = await client.listen();
  await client.follow(WATCHED);
  await expect.poll(() => hears(stream), PATIENCE).toBe(true);
  const { tenantId } = tenant;
  const where = { tenantId_id: { tenantId, id: reader.roleId } };
  await inTenant(tenantId, (tx) => tx.role.update({ where, data: { permissions: [] } }));
  await expect.poll(() => hears(stream), PATIENCE).toBe(false);
  expect(stream.open).toBe(true);
  const key = { tenantId_id: { tenantId, id: reader.keyId } };
  await inTenant(tenantId, (tx) => tx.agentKey.update({ where: key, data: { revokedAt: new Date() } }));
  await expect.poll(() => stream.open, PATIENCE).toBe(false);
});

it("is told of what it follows after the server has lost its session", async () => {
  await enable();
  const client = await begin(reader);
  const stream = await client.listen();
  await client.follow(WATCHED);
  await expect.poll(() => hears(stream), PATIENCE).toBe(true);
  await upstream.loseSessions();
  await expect.poll(() => hears(stream), PATIENCE).toBe(true);
});

it("is told on one of its streams, the newest that is open", async () => {
  await enable();
  const client = await begin(reader);
  const older = await client.listen();
  const newer = await client.listen();
  await client.follow(WATCHED);
  await expect.poll(() => hears(newer), PATIENCE).toBe(true);
  await perform(changeServer, tenant.ctx(), { id: serverId, name: "told anew" });
  await expect.poll(() => newer.heard, PATIENCE).toContain("notifications/tools/list_changed");
  await pause(300);
  expect(older.heard).toEqual([]);
  newer.close();
  await expect.poll(() => hears(older), PATIENCE).toBe(true);
});

it("is refused what it cannot follow before the server is asked", async () => {
  await enable();
  const client = await begin(reader);
  const owner = JSON.stringify([reader.keyId, client.session]);
  const name = (nth: number) => ({ server: "told", name: `test://${nth}` });
  for (let nth = 1; nth <= 256; nth += 1) await changeSubscription(owner, name(nth), true);
  const { body } = await client.follow(WATCHED);
  expect(body.error.data).toMatchObject({ code: "conflict" });
  const sql = "select phase, reason_code from audit_entries where tenant_id = $1 and event_id = $2 or phase = 'intent'";
  const { rows } = await tenantSql(tenant.tenantId, (sqlClient) =>
    sqlClient.query(sql, [tenant.tenantId, body.error.data.entry]),
  );
  expect(rows).toEqual([{ phase: "auth", reason_code: "conflict" }]);
  await changeSubscription(owner, name(1), false);
  expect((await client.follow(WATCHED)).body.result).toMatchObject({});
});
