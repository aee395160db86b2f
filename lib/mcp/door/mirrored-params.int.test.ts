import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from "@modelcontextprotocol/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { changePermissionMap } from "@/lib/access/change-permission-map";
import { currentPermissionMap } from "@/lib/access/permission-map";
import { perform } from "@/lib/audit/perform";
import { boot, shutdown } from "@/lib/gateway/boot";
import { createProfile } from "@/lib/profiles/change-profile";
import { probeServer } from "@/lib/servers/probe-server";
import { registerServer } from "@/lib/servers/register-server";
import { enableServer } from "@/lib/servers/switch-server";
import { type ConformanceUpstream, startConformanceUpstream } from "@/lib/testing/conformance-upstream";
import { createTestAgent, createTestTenant, type TestTenant } from "@/lib/testing/factories";
import { startFakeUpstream } from "@/lib/testing/fake-upstream";
import { openDoor } from "@/lib/testing/gateway-world";
import { readTrail } from "@/lib/testing/read-trail";
import { rpc } from "@/lib/testing/rpc";

const TOOL = "suite__test_x_mcp_header";
let tenant: TestTenant;
let upstream: ConformanceUpstream;
let door: Awaited<ReturnType<typeof openDoor>>;
let key: string;

beforeAll(async () => {
  await boot();
  tenant = await createTestTenant();
  upstream = await startConformanceUpstream("modern");
  const endpoint = { transport: "http", url: upstream.url } as const;
  const { id } = await perform(registerServer, tenant.ctx(), { slug: "suite", name: "Suite", endpoint });
  await perform(enableServer, tenant.ctx(), { id });
  const { version } = await currentPermissionMap(tenant.tenantId);
  const changes = [{ server: "suite", tool: "test_x_mcp_header", permission: "suite:use" }];
  await perform(changePermissionMap, tenant.ctx(), { baseVersion: version, changes, reason: "for the test" });
  const tools = [{ server: "*", tool: "*" }];
  await perform(createProfile, tenant.ctx(), { slug: "wide", name: "Wide", mode: "search", tools });
  ({ key } = await createTestAgent(tenant, ["suite:use"]));
  door = await openDoor("node");
});
afterAll(async () => {
  await door.close();
  await upstream.close();
  await shutdown();
});

type Options = { path?: string; name?: string; era?: "modern" | "legacy"; key?: string };
const call = (args: object, headers: Record<string, string>, { path = "", name = TOOL, ...options }: Options = {}) =>
  rpc(`${door.url}${path}`, "tools/call", { name, arguments: args }, { key, ...options, headers });

describe("arguments that travel in headers too", () => {
  it("are let through where header and body agree", async () => {
    for (const [path, name] of [
      ["", TOOL],
      ["/suite", "test_x_mcp_header"],
    ] as const) {
      const { status, body } = await call({ region: "eu" }, { "mcp-param-region": "eu" }, { path, name });
      expect([status, body.result.content]).toEqual([200, [{ type: "text", text: '{"region":"eu"}' }]]);
    }
    expect((await call({}, {})).status).toBe(200);
    expect((await call({ region: "ü" }, { "mcp-param-region": "=?base64?w7w=?=" })).status).toBe(200);
  });

  it.each<[string, Record<string, string>]>([
    ["another value", { "mcp-param-region": "us" }],
    ["no header", {}],
    ["a header that is no Base64", { "mcp-param-region": "=?base64?c2VjcmV0LXJlZ2lvbg?=" }],
  ])("are refused with %s, and nothing is called", async (_, headers) => {
    const before = (await readTrail(tenant.tenantId)).length;
    const { status, body } = await call({ region: "secret-region" }, headers);
    expect([status, body.error.code]).toEqual([400, -32020]);
    expect(body.error.data.mismatch.body).toContain("mcp-param-region");
    const since = (await readTrail(tenant.tenantId)).slice(before);
    expect(since.map(({ type }) => type)).toEqual(["request.sent"]);
    expect(since[0]?.text).not.toContain("secret-region");
    expect(since[0]?.text).toContain(body.error.data.entry);
  });

  it("say nothing of the tool to one who may not call it", async () => {
    const stranger = await createTestAgent(tenant, ["other:use"]);
    const { status, body } = await call({ region: "eu" }, {}, { key: stranger.key });
    expect(status).toBe(200);
    expect(body.result._meta["dev.countersign/error"]).toMatchObject({ code: "permission_denied" });
  });

  it("are not looked for in the sessions era, nor behind call_tool", async () => {
    expect((await call({ region: "eu" }, {}, { era: "legacy" })).body.result.isError).toBeUndefined();
    const meant = { name: TOOL, arguments: { region: "eu" } };
    const found = await call(meant, {}, { path: "/p/wide", name: "call_tool" });
    expect(found.body.result.content).toEqual([{ type: "text", text: '{"region":"eu"}' }]);
  });

  it("are mirrored by the official client without a word from us", async () => {
    const requestInit = { headers: { authorization: `Bearer ${key}` } };
    const transport = new ModernTransport(new URL(door.url), { requestInit });
    const client = new ModernClient(
      { name: "v2", version: "1" },
      { versionNegotiation: { mode: { pin: "2026-07-28" } } },
    );
    await client.connect(transport);
    await client.listTools();
    const { content } = await client.callTool({ name: TOOL, arguments: { region: " é " } });
    expect(content).toEqual([{ type: "text", text: '{"region":" é "}' }]);
    await client.close();
  });
});

describe("a probe", () => {
  it("leaves out tools that break a rule, keeps the others, and warns of both and of long names", async () => {
    const fake = await startFakeUpstream();
    const schema = (header: string) => ({
      type: "object",
      properties: { a: { type: "string", "x-mcp-header": header } },
    });
    const long = `read_${"x".repeat(60)}`;
    fake.setListing([
      { name: "good", inputSchema: schema("Region") },
      { name: "bad", inputSchema: schema("My Region") },
      { name: "no name", inputSchema: { type: "object" } },
      { name: long, inputSchema: { type: "object" } },
    ]);
    const endpoint = { transport: "http", url: fake.url } as const;
    const probe = await perform(probeServer, tenant.ctx(), { endpoint });
    expect(probe.tools.map(({ name }) => name)).toEqual(["good", long]);
    expect(probe.warnings).toHaveLength(3);
    expect(probe.warnings?.[0]).toMatch(/^The tool bad is left out: .*at a/);
    expect(probe.warnings?.[1]).toMatch(/^The tool no name is left out/);
    const made = await perform(registerServer, tenant.ctx(), { slug: "longish", name: "Long", endpoint });
    expect(made.tools.map(({ name }) => name)).toEqual(["good", long]);
    expect(made.probe?.warnings?.at(-1)).toContain(`longish__${long}`);
    fake.setListing([{ name: "good", inputSchema: schema("Region") }]);
    expect((await perform(probeServer, tenant.ctx(), { endpoint })).warnings).toBeUndefined();
    await fake.close();
  });
});
