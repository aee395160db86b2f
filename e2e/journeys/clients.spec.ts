import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from "@modelcontextprotocol/client";
import { Client as LegacyClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as LegacyTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { WsTransport, wsClient } from "../../lib/testing/ws-transport";
import { apiOf } from "../api";
import { baseUrl, type DemoAgent, demo, expect, person, test } from "../fixtures";
import { inspect } from "../inspector";

type Listed = { readonly names: readonly string[]; readonly allowed: CallAnswer; readonly denied: CallAnswer };
type CallAnswer = { readonly isError?: boolean; readonly content?: unknown; readonly _meta?: Record<string, unknown> };

const door = (): URL => new URL("/api/mcp", baseUrl());
const headersOf = (agent: DemoAgent) => ({ authorization: `Bearer ${agent.key}` });

const overHttp = (agent: DemoAgent) => new LegacyTransport(door(), { requestInit: { headers: headersOf(agent) } });
/** The console listens for upgrades too: a socket must not end up there. */
const overWebSocket = (agent: DemoAgent) =>
  new WsTransport(wsClient(new URL("/api/mcp/ws", baseUrl()).href, agent.key));

async function throughLegacySdk(agent: DemoAgent, open: typeof overHttp | typeof overWebSocket): Promise<Listed> {
  const client = new LegacyClient({ name: "legacy-sdk", version: "1" });
  await client.connect(open(agent) as never);
  try {
    const { tools } = await client.listTools();
    const call = (tool: DemoAgent["allowed"]) => client.callTool({ name: tool.tool, arguments: tool.arguments });
    return {
      names: tools.map((tool) => tool.name),
      allowed: (await call(agent.allowed)) as CallAnswer,
      denied: (await call(agent.denied)) as CallAnswer,
    };
  } finally {
    await client.close();
  }
}

async function throughModernSdk(agent: DemoAgent): Promise<Listed> {
  const client = new ModernClient({ name: "modern-sdk", version: "1" });
  await client.connect(new ModernTransport(door(), { requestInit: { headers: headersOf(agent) } }));
  try {
    const { tools } = await client.listTools();
    const call = (tool: DemoAgent["allowed"]) => client.callTool({ name: tool.tool, arguments: tool.arguments });
    return {
      names: tools.map((tool) => tool.name),
      allowed: (await call(agent.allowed)) as CallAnswer,
      denied: (await call(agent.denied)) as CallAnswer,
    };
  } finally {
    await client.close();
  }
}

async function throughInspector(agent: DemoAgent, era: string): Promise<Listed> {
  const listed = (await inspect(door(), agent.key, era, ["--method", "tools/list"])) as { tools: { name: string }[] };
  const call = (tool: DemoAgent["allowed"]) => {
    const values = Object.entries(tool.arguments).flatMap(([name, value]) => [
      "--tool-arg",
      `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`,
    ]);
    return inspect(door(), agent.key, era, ["--method", "tools/call", "--tool-name", tool.tool, ...values]);
  };
  return {
    names: listed.tools.map((tool) => tool.name),
    allowed: (await call(agent.allowed)) as CallAnswer,
    denied: (await call(agent.denied)) as CallAnswer,
  };
}

/** What the console says this agent may call, as names on the joint door. */
async function callable(agent: DemoAgent): Promise<string[]> {
  const api = apiOf(person(agent.tenant, "tenant-admin"));
  const agents = await api.get<{ id: string; slug: string; name: string }[]>("/api/v1/agents");
  const found = agents.find((item) => item.slug === agent.name || item.name === agent.name);
  if (!found) throw new Error(`no agent ${agent.name}`);
  const detail = await api.get<{ tools: { server: string; tool: string; allowed: boolean }[] }>(
    `/api/v1/agents/${found.id}`,
  );
  return detail.tools.filter((tool) => tool.allowed).map((tool) => `${tool.server}__${tool.tool}`);
}

const CLIENTS: readonly (readonly [string, (agent: DemoAgent) => Promise<Listed>])[] = [
  ["the v1 SDK client", (agent) => throughLegacySdk(agent, overHttp)],
  ["the v1 SDK client over a WebSocket", (agent) => throughLegacySdk(agent, overWebSocket)],
  ["the v2 SDK client", throughModernSdk],
  ["the Inspector, legacy era", (agent) => throughInspector(agent, "legacy")],
  ["the Inspector, auto", (agent) => throughInspector(agent, "auto")],
  ["the Inspector, modern era", (agent) => throughInspector(agent, "modern")],
];

for (const [name, through] of CLIENTS) {
  test(`${name} lists exactly what the agent may call, calls it, and understands a refusal`, async () => {
    for (const agent of demo().agents.slice(0, 2)) {
      const seen = await through(agent);
      expect([...seen.names].sort()).toEqual((await callable(agent)).sort());
      expect(seen.names).toContain(agent.allowed.tool);
      expect(seen.names).not.toContain(agent.denied.tool);
      expect(seen.allowed.isError ?? false).toBe(false);
      expect(seen.allowed._meta?.["dev.countersign/entry"]).toMatch(/^[0-9a-f-]{36}$/);
      expect(seen.denied.isError).toBe(true);
      if (name.startsWith("the Inspector")) {
        // It looks the name up in the list it was given and does not even ask.
        expect(JSON.stringify(seen.denied.content)).toContain("tool_not_found");
      } else {
        expect(JSON.stringify(seen.denied.content)).toMatch(/needs the permission/);
        expect(seen.denied._meta?.["dev.countersign/entry"]).toMatch(/^[0-9a-f-]{36}$/);
      }
    }
  });
}

test("a revoked key stops within five seconds", async () => {
  const admin = apiOf(person("clinic", "tenant-admin"));
  const agents = await admin.get<{ id: string }[]>("/api/v1/agents");
  const agentId = agents[0]?.id;
  const key = await admin.post<{ id: string; secret: string }>(`/api/v1/agents/${agentId}/keys`, { name: "short" });
  const list = () =>
    fetch(door(), {
      method: "POST",
      headers: {
        authorization: `Bearer ${key.secret}`,
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
      },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list", params: {} }),
    }).then((answer) => answer.status);
  expect(await list()).toBe(200);
  await admin.delete(`/api/v1/agents/${agentId}/keys/${key.id}`);
  await expect.poll(list, { timeout: 5_000 }).toBe(401);
});
