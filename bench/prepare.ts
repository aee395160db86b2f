import { randomBytes } from "node:crypto";
import { onServer } from "@/bench/database";
import { toolNames } from "@/bench/echo-upstream";
import type { Caller } from "@/bench/load";
import { seedEntries } from "@/bench/seed-entries";
import { changePermissionMap } from "@/lib/access/change-permission-map";
import { perform } from "@/lib/audit/perform";
import { boot, shutdown } from "@/lib/gateway/boot";
import { registerServer } from "@/lib/servers/register-server";
import { enableServer } from "@/lib/servers/switch-server";
import { createTestAgent, createTestTenant } from "@/lib/testing/factories";

export type WorldSpec = {
  readonly upstreamUrl: string;
  readonly tenants: number;
  /** Tools of each tenant's server, all of them mapped. */
  readonly tools: number;
  /** Entries in the first tenant's trail before the first call. */
  readonly entries: number;
};

/** What a gateway process needs to serve a prepared database, and who may call what. */
export type Prepared = {
  readonly env: Readonly<Record<string, string>>;
  readonly tenants: readonly { readonly callers: readonly Caller[] }[];
};

const SERVER = "echo";
const PERMISSION = "echo:read";

const settingsFor = (databaseUrl: string, dataDir: string) => ({
  DATABASE_URL: databaseUrl,
  DATA_DIR: dataDir,
  MASTER_KEY: `bench:${randomBytes(32).toString("base64")}`,
  NEXTAUTH_SECRET: randomBytes(32).toString("hex"),
  EGRESS_ALLOW: "127.0.0.0/8",
  DEMO: "0",
  LOG_LEVEL: "warn",
  // The limits count every call, and none of the benchmark's may meet them.
  RATE_LIMIT_GLOBAL: "1000000",
  RATE_LIMIT_TENANT: "1000000",
  RATE_LIMIT_AGENT: "1000000",
});

/** A tenant with one server and one agent that may call all of its tools, made by the verbs that people use. */
async function addTenant({ upstreamUrl, tools }: WorldSpec): Promise<{ tenantId: string; callers: Caller[] }> {
  const tenant = await createTestTenant();
  const endpoint = { transport: "http", url: upstreamUrl } as const;
  const { id } = await perform(registerServer, tenant.ctx(), { slug: SERVER, name: "Echo", endpoint });
  await perform(enableServer, tenant.ctx(), { id });
  const names = toolNames(tools);
  const changes = names.map((tool) => ({ server: SERVER, tool, permission: PERMISSION }));
  await perform(changePermissionMap, tenant.ctx(), { baseVersion: 0, changes, reason: "benchmark" });
  const { key } = await createTestAgent(tenant, [PERMISSION]);
  return { tenantId: tenant.tenantId, callers: names.map((tool) => ({ key, tool: `${SERVER}__${tool}` })) };
}

/** Fills an empty database as the specification says. */
export async function prepare(url: string, dataDir: string, spec: WorldSpec): Promise<Prepared> {
  const env = settingsFor(url, dataDir);
  Object.assign(process.env, env);
  await boot();
  const tenants: { tenantId: string; callers: Caller[] }[] = [];
  for (let nth = 0; nth < spec.tenants; nth += 1) tenants.push(await addTenant(spec));
  const [first] = tenants;
  if (first !== undefined) await seedEntries(first.tenantId, spec.entries);
  await shutdown();
  // What autovacuum would do some time into the measurement is done before it.
  await onServer(url, (client) => client.query("vacuum analyze"));
  await onServer(url, (client) => client.query("checkpoint"));
  return { env, tenants: tenants.map(({ callers }) => ({ callers })) };
}
