import { readdirSync, readFileSync } from "node:fs";
import { Pool } from "undici";
import { FAIL } from "@/bench/echo-upstream";

export type Target = {
  readonly name: string;
  readonly url: string;
  readonly tool: string;
  readonly key: string | null;
  /** Whose CPU time is counted. */
  readonly pid: number;
  /** Whose sessions' CPU time is counted apart; null where there is none. */
  readonly database: string | null;
};

export type Measured = {
  readonly callsPerSecond: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  /** Null where the system does not tell. */
  readonly cpuMsPerCall: number | null;
  /** Of the PostgreSQL sessions of the gateway; null where there are none, or the system does not tell. */
  readonly databaseMsPerCall: number | null;
  readonly failed: number;
};

const CLOCK_TICK_MS = 10;

/** User and system time of a process, from the kernel's own books. */
function cpuMs(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) * CLOCK_TICK_MS;
  } catch {
    return null;
  }
}

/** The same for all sessions of a database on this machine; PostgreSQL writes its name into their titles. */
function sessionsCpuMs(database: string): number | null {
  let sum: number | null = null;
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      if (readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(` ${database} `))
        sum = (sum ?? 0) + (cpuMs(Number(pid)) ?? 0);
    } catch {
      // It ended meanwhile.
    }
  }
  return sum;
}

function messageFor(tool: string, message: string): string {
  const _meta = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": { name: "bench", version: "1" },
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  const params = { name: tool, arguments: { message }, _meta };
  return JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params });
}

type Shot = {
  readonly pool: Pool;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string;
};

const HELLO = "hello, how are you?";
/** Sent where no key is needed, so that both calls are equally long. */
const NO_KEY = `cs_${"0".repeat(43)}`;

function shotAt(pool: Pool, path: string, { tool, key }: Target, message: string): Shot {
  return {
    pool,
    path,
    body: messageFor(tool, message),
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": "tools/call",
      "mcp-name": tool,
      authorization: `Bearer ${key ?? NO_KEY}`,
    },
  };
}

/** One call; true when it was answered with `wanted`. */
function fire({ pool, path, headers, body }: Shot, wanted: string): Promise<boolean> {
  return new Promise((resolve) => {
    let text = "";
    let status = 0;
    pool.dispatch(
      { path, method: "POST", headers, body },
      {
        onRequestStart: () => undefined,
        onResponseStart: (_controller, code) => {
          status = code;
        },
        onResponseData: (_controller, chunk) => {
          text += chunk.toString();
        },
        onResponseEnd: () => resolve(status === 200 && text.includes(wanted)),
        onResponseError: () => resolve(false),
      },
    );
  });
}

/** A process and what it started. */
function familyCpuMs(pid: number): number | null {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, "utf8")
      .split(" ")
      .filter((each) => each !== ""),
  );
  const own = cpuMs(pid);
  return own === null ? null : children.reduce((sum, child) => sum + (familyCpuMs(Number(child)) ?? 0), own);
}

function familyOrNothing(pid: number): number | null {
  try {
    return familyCpuMs(pid);
  } catch {
    return cpuMs(pid);
  }
}

const spent = ({ pid, database }: Target) => ({
  own: familyOrNothing(pid),
  database: database === null ? null : sessionsCpuMs(database),
});

const perCall = (before: number | null, after: number | null, calls: number): number | null =>
  before === null || after === null ? null : (after - before) / calls;

/** Closed loop: each of `callers` sends its next call when the last one was answered. */
export async function measure(target: Target, callers: number, forMs: number): Promise<Measured> {
  const url = new URL(target.url);
  const pool = new Pool(url.origin, { connections: callers, pipelining: 1 });
  const shot = shotAt(pool, url.pathname, target, HELLO);
  const loop = async (untilMs: number, times: number[]): Promise<number> => {
    let failed = 0;
    while (performance.now() < untilMs) {
      const startedAt = performance.now();
      if (!(await fire(shot, HELLO))) failed += 1;
      times.push(performance.now() - startedAt);
    }
    return failed;
  };
  const all = async (ms: number) => {
    const times: number[] = [];
    const until = performance.now() + ms;
    const failures = await Promise.all(Array.from({ length: callers }, () => loop(until, times)));
    return { times, failed: failures.reduce((sum, each) => sum + each, 0) };
  };
  await all(Math.min(1_500, forMs));
  const before = spent(target);
  const startedAt = performance.now();
  const { times, failed } = await all(forMs);
  const tookMs = performance.now() - startedAt;
  const after = spent(target);
  await pool.destroy();
  const at = percentiles(times);
  return {
    callsPerSecond: (times.length / tookMs) * 1_000,
    p50Ms: at(0.5),
    p95Ms: at(0.95),
    cpuMsPerCall: perCall(before.own, after.own, times.length),
    databaseMsPerCall: perCall(before.database, after.database, times.length),
    failed,
  };
}

function percentiles(times: number[]): (share: number) => number {
  times.sort((a, b) => a - b);
  return (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
}

export type Refused = {
  readonly count: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly failed: number;
};

const FAILURES_THAT_OPEN = 5;

/** Opens the circuit by failing calls, then times refusals one after the other, over the wire and recorded. */
export async function measureRefusals(target: Target, count: number): Promise<Refused> {
  const url = new URL(target.url);
  const pool = new Pool(url.origin, { connections: 1, pipelining: 1 });
  for (let nth = 0; nth < FAILURES_THAT_OPEN; nth += 1) await fire(shotAt(pool, url.pathname, target, FAIL), "");
  const shot = shotAt(pool, url.pathname, target, HELLO);
  const times: number[] = [];
  let failed = 0;
  for (let nth = 0; nth < count; nth += 1) {
    const startedAt = performance.now();
    if (!(await fire(shot, "circuit_open"))) failed += 1;
    times.push(performance.now() - startedAt);
  }
  await pool.destroy();
  const at = percentiles(times);
  return { count, p50Ms: at(0.5), p95Ms: at(0.95), failed };
}
