import { randomBytes } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { changePermissionMap } from "@/lib/access/change-permission-map";
import { perform } from "@/lib/audit/perform";
import { boot, shutdown } from "@/lib/gateway/boot";
import { registerServer } from "@/lib/servers/register-server";
import { enableServer } from "@/lib/servers/switch-server";
import { createTestAgent, createTestTenant } from "@/lib/testing/factories";

export type Prepared = {
  /** What a gateway process needs to serve the prepared tenant. */
  readonly env: Readonly<Record<string, string>>;
  readonly key: string;
  readonly tool: string;
  /** Name of the database: how its sessions are told from others'. */
  readonly database: string;
  readonly drop: () => Promise<void>;
};

async function onServer(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(sql).finally(() => client.end());
}

/** A database of the benchmark's own, with one tenant, one server and one agent. */
export async function prepare(server: string, upstreamUrl: string): Promise<Prepared> {
  const name = `cs_bench_${randomBytes(5).toString("hex")}`;
  await onServer(server, `create database ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  const env = {
    DATABASE_URL: url.href,
    DATA_DIR: mkdtempSync(join(tmpdir(), "cs-bench-")),
    MASTER_KEY: `bench:${randomBytes(32).toString("base64")}`,
    NEXTAUTH_SECRET: randomBytes(32).toString("hex"),
    EGRESS_ALLOW: "127.0.0.0/8",
    DEMO: "0",
    LOG_LEVEL: "warn",
    // The limits count every call, and none of the benchmark's may meet them.
    RATE_LIMIT_GLOBAL: "1000000",
    RATE_LIMIT_TENANT: "1000000",
    RATE_LIMIT_AGENT: "1000000",
  };
  Object.assign(process.env, env);
  await boot();
  const tenant = await createTestTenant();
  const endpoint = { transport: "http", url: upstreamUrl } as const;
  const { id } = await perform(registerServer, tenant.ctx(), { slug: "echo", name: "Echo", endpoint });
  await perform(enableServer, tenant.ctx(), { id });
  const changes = [{ server: "echo", tool: "echo", permission: "echo:read" }];
  await perform(changePermissionMap, tenant.ctx(), { baseVersion: 0, changes, reason: "benchmark" }).catch(() =>
    perform(changePermissionMap, tenant.ctx(), { baseVersion: 1, changes, reason: "benchmark" }),
  );
  const { key } = await createTestAgent(tenant, ["echo:read"]);
  await shutdown();
  return {
    env,
    key,
    tool: "echo__echo",
    database: name,
    drop: () => onServer(server, `drop database ${name} with (force)`),
  };
}
