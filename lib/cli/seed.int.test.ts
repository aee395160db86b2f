import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { perform } from "@/lib/audit/perform";
import { findLiveSession } from "@/lib/auth/sessions";
import { checkAgentKey } from "@/lib/auth/verify-agent-key";
import { verifyApiToken } from "@/lib/auth/verify-api-token";
import { newId } from "@/lib/core/ids";
import { resetSingleton } from "@/lib/core/singleton";
import { inPlatform } from "@/lib/db/in-tenant";
import { closeDatabase, openDatabase } from "@/lib/db/open-database";
import { env } from "@/lib/env";
import { closeGateway, getGateway } from "@/lib/gateway/compose";
import { executeToolCall } from "@/lib/gateway/execute-tool-call";
import { listServers } from "@/lib/servers/read";
import { createTestTenant } from "@/lib/testing/factories";
import { readTrail } from "@/lib/testing/read-trail";
import { SCENARIOS, type Seeded, seedDemo } from "@/prisma/seed";
import { type DemoFile, demoFile } from "@/prisma/seed/demo-file";
import { startDemoHttpUpstream, stopDemoHttpUpstream } from "@/prisma/seed/demo-http-upstream";
import { makeFirstCalls } from "@/prisma/seed/first-calls";
import { seedContext } from "@/prisma/seed/seed-context";

const name = `cs_seed_${randomBytes(5).toString("hex")}`;
const server = process.env["DATABASE_URL"] ?? "";
let dataDir: string;

async function onServer(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  await client.query(statement).finally(() => client.end());
}

const readFileAs = async (): Promise<DemoFile> =>
  demoFile.strict().parse(JSON.parse(await readFile(join(dataDir, "demo.json"), "utf8")));
const options = (port = 3000) => ({ baseUrl: `http://127.0.0.1:${port}`, dataDir });
const tenantId = async (slug: string): Promise<string> =>
  (await inPlatform((tx) => tx.tenant.findUniqueOrThrow({ where: { slug }, select: { id: true } }))).id;

async function openSessionOf(email: string): Promise<string> {
  const id = newId();
  const end = new Date(Date.now() + 3_600_000);
  await inPlatform(async (tx) => {
    const { id: userId } = await tx.user.findUniqueOrThrow({ where: { email }, select: { id: true } });
    const data = { id, userId, authMethod: "oidc", issuer: "urn:test", idleExpiresAt: end, expiresAt: end };
    await tx.session.create({ data, select: { id: true } });
  });
  return id;
}

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "countersign-seed-"));
  await onServer(`create database ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  vi.stubEnv("DATABASE_URL", url.href);
  vi.stubEnv("DEMO", "1");
  resetSingleton("env");
  await openDatabase();
});
afterAll(async () => {
  await closeGateway();
  await stopDemoHttpUpstream();
  await closeDatabase();
  vi.unstubAllEnvs();
  resetSingleton("env");
  await onServer(`drop database ${name} with (force)`);
  await rm(dataDir, { recursive: true, force: true });
});

describe("the demo", () => {
  let first: Seeded;
  let file: DemoFile;

  it("is seeded into an empty database quickly, every server open", async () => {
    first = await seedDemo(options());
    expect(first.fresh).toBe(true);
    // Measured: 3.4 s on two idle cores. The bound leaves room for a machine that does other things.
    expect(first.tookMs).toBeLessThan(50_000);
    for (const { slug } of SCENARIOS) {
      const servers = await perform(listServers, seedContext(await tenantId(slug), "admin:*"), {});
      expect(servers.map((row) => [row.slug, row.status])).toEqual([
        ["everything", "enabled"],
        ["files", "enabled"],
        ["memory", "enabled"],
        ["remote", "enabled"],
      ]);
      for (const row of servers) expect(row.mappedToolCount).toBeLessThan(row.toolCount);
    }
  });

  it("says how to get in, to its owner only, in the public shape", async () => {
    file = await readFileAs();
    expect((await stat(join(dataDir, "demo.json"))).mode & 0o777).toBe(0o600);
    expect(file.users.map((user) => user.tenant).filter((tenant) => tenant === "clinic")).toHaveLength(5);
    const shared = file.users.filter((user) => user.email === "sam.rivera@group.example");
    expect(shared.map((user) => user.tenant)).toEqual(["clinic", "bank"]);
    expect(new Set(shared.map((user) => user.password)).size).toBe(1);
    expect(file.users.filter((user) => user.tenant === null).map((user) => user.roles)).toEqual([
      ["platform-admin"],
      [],
    ]);
    for (const user of file.users.filter(({ tenant }) => tenant !== null)) expect(user.apiToken).toMatch(/^cst_/);
    expect(new Set(file.users.map((user) => user.password)).size).toBe(file.users.length - 1);
  });

  it("has agents whose allowed call is allowed and whose denied call is denied, for real", async () => {
    for (const agent of file.agents) {
      for (const [example, allowed] of [
        [agent.allowed, true],
        [agent.denied, false],
      ] as const) {
        const [at = "", tool = ""] = example.tool.split("__");
        const outcome = await executeToolCall(getGateway(), {
          credential: { kind: "key", secret: agent.key },
          ref: { server: at, tool },
          args: example.arguments,
          entrance: { requestId: "test-0001", door: "/api/mcp", ip: null, userAgent: null },
        });
        expect([agent.name, example.tool, outcome.ok]).toEqual([agent.name, example.tool, allowed]);
        if (outcome.ok) expect(outcome.result["isError"]).not.toBe(true);
        else expect(outcome.error.code).toBe("permission_denied");
      }
    }
  });

  it("leaves no secret in its trail and names itself as the actor", async () => {
    const entries = await readTrail(await tenantId("clinic"));
    const text = entries.map((entry) => entry.text).join("\n");
    expect(text).toContain("demo-seed");
    for (const user of file.users) {
      expect(text).not.toContain(user.password);
      if (user.apiToken !== null) expect(text).not.toContain(user.apiToken);
    }
    for (const agent of file.agents) expect(text).not.toContain(agent.key);
  });

  it("changes nothing the second time but the address", async () => {
    const second = await seedDemo(options(3100));
    expect(second.fresh).toBe(false);
    expect(second.tookMs).toBeLessThan(20_000);
    expect(await readFileAs()).toEqual({ ...file, baseUrl: "http://127.0.0.1:3100" });
  });

  it("follows its own server to another port", async () => {
    await stopDemoHttpUpstream();
    await rm(join(dataDir, "demo", "http-port"));
    await seedDemo(options());
    const { url } = await startDemoHttpUpstream(dataDir);
    const servers = await perform(listServers, seedContext(await tenantId("bank"), "admin:*"), {});
    expect(servers.find((row) => row.slug === "remote")?.address).toBe(url);
  });

  it("is taken up again when its file is gone, with new credentials and nothing twice", async () => {
    await rm(join(dataDir, "demo.json"));
    expect((await seedDemo(options())).fresh).toBe(true);
    const again = await readFileAs();
    expect(again.agents.map((agent) => agent.name)).toEqual(file.agents.map((agent) => agent.name));
    for (const [at, agent] of again.agents.entries()) {
      expect(agent.key).not.toBe(file.agents[at]?.key);
      expect(await checkAgentKey(agent.key)).toMatchObject({ ok: true });
    }
    file = again;
  });

  it("makes first calls that all end in the trail", async () => {
    const before = (await readTrail(await tenantId("bank"))).length;
    await makeFirstCalls(file, SCENARIOS, dataDir);
    const entries = (await readTrail(await tenantId("bank"))).slice(before).map((entry) => entry.type);
    expect(entries).toContain("tool_call.denied");
    expect(entries.filter((type) => type === "tool_call.finished").length).toBeGreaterThan(5);
  });

  it("opens nothing where DEMO=0", async () => {
    const [agent] = file.agents;
    const tokens = file.users.flatMap((user) => (user.apiToken === null ? [] : [user.apiToken]));
    expect(await checkAgentKey(agent?.key ?? "")).toMatchObject({ ok: true });
    for (const token of tokens) expect(await verifyApiToken(token)).not.toBeNull();
    const sessionId = await openSessionOf(file.users[0]?.email ?? "");
    expect(await findLiveSession(sessionId)).not.toBeNull();
    vi.stubEnv("DEMO", "0");
    resetSingleton("env");
    resetSingleton("auth.agent-keys");
    try {
      expect(env().demo).toBe(false);
      for (const { key } of file.agents) expect(await checkAgentKey(key)).toMatchObject({ ok: false });
      for (const token of tokens) expect(await verifyApiToken(token)).toBeNull();
      expect(await findLiveSession(sessionId)).toBeNull();
    } finally {
      vi.stubEnv("DEMO", "1");
      resetSingleton("env");
    }
  });

  it("leaves a database alone that holds somebody's own tenant", async () => {
    await createTestTenant();
    await rm(join(dataDir, "demo.json"));
    expect((await seedDemo(options())).fresh).toBe(false);
    await expect(readFileAs()).rejects.toThrow();
  });
});
