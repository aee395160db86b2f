import type { ChildProcess } from "node:child_process";
import { Pool } from "undici";
import { walkTrail } from "@/lib/audit/verify-trail";
import { platformSql, tenantSql } from "@/lib/db/sql";
import { bundleServer, freePort, gone, startDoor } from "@/lib/testing/door-processes";
import { createWorld } from "@/lib/testing/gateway-world";

export type CrashOptions = {
  readonly kills: number;
  readonly concurrent: number;
  /** Builds the gateway that answers before it records. */
  readonly careless?: boolean;
};

export type CrashReport = {
  readonly answered: number;
  readonly executed: number;
  /** Answered calls whose entry is not in the trail. */
  readonly answeredUnrecorded: number;
  /** Calls that the server executed and of which the trail knows nothing. */
  readonly executedUnrecorded: number;
  readonly chainValid: boolean;
  readonly unknown: number;
  /** Intents without an outcome after the last restart. */
  readonly open: number;
};

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** What clients and the server saw, by the number that each call carries. */
type Seen = { readonly answered: Map<number, string>; readonly executed: Set<number>; nextCall: number };

function messageOf(call: number): string {
  return JSON.stringify({
    jsonrpc: "2.0",
    id: call,
    method: "tools/call",
    params: { name: "work__do", arguments: { call } },
  });
}

/** Calls without a break until told to stop; calls that the kill cut off simply have no answer. */
async function keepCalling(pool: Pool, key: string, seen: Seen, stopped: () => boolean): Promise<void> {
  while (!stopped()) {
    const call = seen.nextCall++;
    const headers = {
      "content-type": "application/json",
      authorization: `Bearer ${key}`,
      "x-request-id": `crash-call-${call}`,
    };
    try {
      const answer = await pool.request({ method: "POST", path: "/api/mcp", headers, body: messageOf(call) });
      const { result } = (await answer.body.json()) as {
        result?: { _meta?: Record<string, string>; isError?: boolean };
      };
      const entry = result?._meta?.["dev.countersign/entry"];
      if (entry !== undefined && result?.isError !== true) seen.answered.set(call, entry);
    } catch {
      await pause(20);
    }
  }
}

async function loadUntilKilled(
  child: ChildProcess,
  port: number,
  key: string,
  seen: Seen,
  concurrent: number,
): Promise<void> {
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections: concurrent, pipelining: 1 });
  let stopped = false;
  const callers = Array.from({ length: concurrent }, () => keepCalling(pool, key, seen, () => stopped));
  const enough = seen.answered.size + Math.max(200, concurrent / 2);
  for (const until = Date.now() + 20_000; seen.answered.size < enough && Date.now() < until; ) await pause(20);
  await pause(Math.random() * 200);
  child.kill("SIGKILL");
  stopped = true;
  await gone(child);
  await pool.destroy();
  await Promise.all(callers);
}

async function compare(tenantId: string, seen: Seen): Promise<CrashReport> {
  const sql = "select event_id::text as id, record from audit_entries where tenant_id = $1 order by seq";
  const { rows } = await tenantSql(tenantId, (client) => client.query<{ id: string; record: Buffer }>(sql, [tenantId]));
  const ids = new Set(rows.map((row) => row.id));
  const records = rows.map((row) => JSON.parse(row.record.toString("utf8")) as Record<string, unknown>);
  const of = (phase: string) =>
    records.filter((record) => record["phase"] === phase && record["call_id"] !== undefined);
  const intended = new Set(of("intent").map((record) => record["request_id"]));
  const closed = new Set(of("outcome").map((record) => record["call_id"]));
  const report = await walkTrail(tenantId);
  return {
    answered: seen.answered.size,
    executed: seen.executed.size,
    answeredUnrecorded: [...seen.answered.values()].filter((id) => !ids.has(id)).length,
    executedUnrecorded: [...seen.executed].filter((call) => !intended.has(`crash-call-${call}`)).length,
    chainValid: report.valid,
    unknown: of("outcome").filter((record) => record["outcome"] === "unknown").length,
    open: of("intent").filter((record) => !closed.has(record["call_id"])).length,
  };
}

/** With several processes a dead one must also have been silent for a while; the test does not wait for that. */
const letTimePass = () =>
  platformSql((client) =>
    client.query("update gateway_processes set last_seen_at = now() - interval '1 minute' where closed_at is null"),
  );

/** Kills a gateway under load again and again, then compares what was seen with what the trail says. */
export async function runCrashes({ kills, concurrent, careless = false }: CrashOptions): Promise<CrashReport> {
  const seen: Seen = { answered: new Map(), executed: new Set(), nextCall: 1 };
  const onCall = (_tool: string, args: Record<string, unknown>) => void seen.executed.add(Number(args["call"]));
  const world = await createWorld({ work: { tools: ["do"], map: { do: "work:do" }, onCall, deadlineMs: 20_000 } });
  const { key } = await world.agent("work:do");
  const { entry, remove } = await bundleServer(careless);
  try {
    const port = await freePort();
    for (let kill = 0; kill < kills; kill += 1) {
      await loadUntilKilled(await startDoor(entry, port), port, key, seen, concurrent);
    }
    await letTimePass();
    const last = await startDoor(entry, port);
    last.kill("SIGTERM");
    await gone(last);
    return await compare(world.tenant.tenantId, seen);
  } finally {
    remove();
    await world.close();
  }
}
