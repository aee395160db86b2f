import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { changePermissionMap } from "@/lib/access/change-permission-map";
import { currentPermissionMap } from "@/lib/access/permission-map";
import { perform } from "@/lib/audit/perform";
import { resetSingleton } from "@/lib/core/singleton";
import { handleMcpRequest } from "@/lib/mcp/door/handle-mcp-request";
import { serveDoor } from "@/lib/mcp/door/node-mount";
import { endSockets, upgradeDoor } from "@/lib/mcp/door/ws-mount";
import { registerServer } from "@/lib/servers/register-server";
import { enableServer } from "@/lib/servers/switch-server";
import { createTestAgent, createTestTenant, type TestAgent, type TestTenant } from "@/lib/testing/factories";
import { type FakeUpstream, type FakeUpstreamOptions, startFakeUpstream } from "@/lib/testing/fake-upstream";

// Fake servers listen on loopback, which a real gateway refuses unless its operator says otherwise.
process.env["EGRESS_ALLOW"] = "127.0.0.0/8,::1/128";
resetSingleton("env");

export type Mount = "node" | "web";

/** Serves the door over a real socket: in front of Next, or the way Next's route handler does. */
export async function openDoor(mount: Mount): Promise<{ url: string; close: () => Promise<void> }> {
  const server = createServer((request, response) => {
    if (mount === "node") return void serveDoor(request, response);
    const left = new AbortController();
    response.on("close", () => left.abort());
    const hasBody = request.method !== "GET" && request.method !== "HEAD";
    const asked = new Request(`http://${request.headers.host}${request.url}`, {
      method: request.method ?? "GET",
      headers: Object.entries(request.headers).map(([name, value]) => [name, String(value)] as [string, string]),
      signal: left.signal,
      ...(hasBody ? { body: Readable.toWeb(request) as ReadableStream, duplex: "half" } : {}),
    } as RequestInit);
    void handleMcpRequest(asked, { peerAddress: request.socket.remoteAddress ?? null }).then(async (answer) => {
      response.writeHead(answer.status, Object.fromEntries(answer.headers));
      if (answer.body !== null) for await (const chunk of answer.body) response.write(chunk);
      response.end();
    });
  });
  server.on("upgrade", upgradeDoor);
  await listen(server);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/mcp`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
        endSockets();
      }),
  };
}

const listen = (server: Server) => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

export type World = {
  readonly tenant: TestTenant;
  /** Real HTTP servers, registered and enabled, by slug. */
  readonly upstreams: ReadonlyMap<string, FakeUpstream>;
  /** Registered ids by slug. */
  readonly serverIds: ReadonlyMap<string, string>;
  readonly agent: (...permissions: string[]) => Promise<TestAgent>;
  readonly close: () => Promise<void>;
};

export type WorldServer = FakeUpstreamOptions & {
  /** Tool to permission; tools that are left out stay unmapped. */
  readonly map?: Readonly<Record<string, string>>;
  readonly deadlineMs?: number;
};

/** A tenant with its own fake servers, registered through the same verbs that the console uses. */
export async function createWorld(servers: Readonly<Record<string, WorldServer>>): Promise<World> {
  const tenant = await createTestTenant();
  const upstreams = new Map<string, FakeUpstream>();
  const serverIds = new Map<string, string>();
  for (const [slug, { map: _, deadlineMs = 2_000, ...options }] of Object.entries(servers)) {
    const upstream = await startFakeUpstream(options);
    upstreams.set(slug, upstream);
    const endpoint = { transport: "http", url: upstream.url } as const;
    const view = await perform(registerServer, tenant.ctx(), { slug, name: slug, endpoint, deadlineMs });
    serverIds.set(slug, view.id);
    await perform(enableServer, tenant.ctx(), { id: view.id });
  }
  const changes = Object.entries(servers).flatMap(([server, { map = {} }]) =>
    Object.entries(map).map(([tool, permission]) => ({ server, tool, permission })),
  );
  if (changes.length > 0) {
    const { version } = await currentPermissionMap(tenant.tenantId);
    await perform(changePermissionMap, tenant.ctx(), { baseVersion: version, changes, reason: "for the test" });
  }
  return {
    tenant,
    upstreams,
    serverIds,
    agent: (...permissions) => createTestAgent(tenant, permissions),
    close: async () => {
      await Promise.all([...upstreams.values()].map((upstream) => upstream.close()));
    },
  };
}
