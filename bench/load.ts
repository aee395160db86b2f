import { Pool } from "undici";
import { FAIL } from "@/bench/echo-upstream";
import { type Line, openLine, type Wire } from "@/bench/lines";
import { sessionsCpuMs, usedBy, usedByFamily } from "@/bench/processes";

/** Who calls what. */
export type Caller = { readonly key: string | null; readonly tool: string };

export type Target = {
  readonly name: string;
  readonly url: string;
  readonly wire: Wire;
  /** Handed out in turn to the callers of a row. */
  readonly callers: readonly Caller[];
  /** Whose CPU time and memory are counted, with everything it started. */
  readonly pid: number;
  /** Without what it started: where that is the upstream. */
  readonly alone?: boolean;
  /** Whose sessions' CPU time is counted apart; null where there is none. */
  readonly database: string | null;
};

export type Measured = {
  readonly calls: number;
  readonly callsPerSecond: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  /** Null where the system does not tell. */
  readonly cpuMsPerCall: number | null;
  /** Of the PostgreSQL sessions of the gateway; null where there are none. */
  readonly databaseMsPerCall: number | null;
  /** At the end of the row, with its connections still open. */
  readonly residentMb: number | null;
  /** Answers that were no success. */
  readonly failed: number;
  /** Answers that carried somebody else's words, or the caller's own of an earlier call. */
  readonly wrong: number;
  /** The first failure in words, so that a row of failures can be understood. */
  readonly firstFailure: string | null;
};

const WARM_UP_MS = 1_500;
const OPENED_AT_ONCE = 32;
const STRAY_MS = 30_000;

type Tally = { readonly times: number[]; failed: number; wrong: number; firstFailure: string | null };
const emptyTally = (): Tally => ({ times: [], failed: 0, wrong: 0, firstFailure: null });

/** Words that no other call of this run says; closed at both ends, so that one is never part of another. */
const TOKEN = /c\d+n\d+\./;
let said = 0;

async function callOnce({ call }: Line, caller: number, tally: Tally): Promise<void> {
  said += 1;
  const token = `c${caller}n${said}.`;
  const startedAt = performance.now();
  const { status, text } = await call(token);
  tally.times.push(performance.now() - startedAt);
  if (status === 200 && text.includes(token)) return;
  if (TOKEN.test(text)) tally.wrong += 1;
  else tally.failed += 1;
  tally.firstFailure ??= `${status} ${text.slice(0, 300)}`;
}

/** Closed loop: each caller sends its next call when the last one was answered. */
async function loopAll(lines: readonly Line[], forMs: number): Promise<Tally> {
  const tally = emptyTally();
  const until = performance.now() + forMs;
  const loop = async (line: Line, caller: number) => {
    while (performance.now() < until) await callOnce(line, caller, tally);
  };
  await withinReason(Promise.all(lines.map(loop)), forMs + STRAY_MS);
  return tally;
}

/** A target that swallows a call must not hang the benchmark. */
async function withinReason(work: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`a call was not answered within ${STRAY_MS / 1_000} s`)), ms);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** Fills `lines`, so that those that were opened can be closed when a later one is refused. */
async function openLines(target: Target, pool: Pool, count: number, lines: Line[]): Promise<void> {
  const { origin, pathname: path } = new URL(target.url);
  while (lines.length < count) {
    const size = Math.min(OPENED_AT_ONCE, count - lines.length);
    const next = Array.from({ length: size }, (_, at) => {
      const caller = target.callers[(lines.length + at) % target.callers.length];
      if (caller === undefined) throw new Error(`${target.name} has no callers.`);
      return openLine(target.wire, { pool, origin, path, ...caller });
    });
    lines.push(...(await Promise.all(next)));
  }
}

const spent = ({ pid, alone, database }: Target) => ({
  own: alone === true ? usedBy(pid) : usedByFamily(pid),
  databaseMs: database === null ? null : sessionsCpuMs(database),
});

const perCall = (before: number | undefined | null, after: number | undefined | null, calls: number): number | null =>
  typeof before !== "number" || typeof after !== "number" || calls === 0 ? null : (after - before) / calls;

const makePool = (target: Target, callers: number): Pool =>
  // Who listens on an event stream needs a second connection to speak on.
  new Pool(new URL(target.url).origin, { connections: target.wire === "sse" ? 2 * callers : callers, pipelining: 1 });

/** Drives `callers` callers for `forMs` after a warm-up; rejects when the target does not take them. */
export async function measure(target: Target, callers: number, forMs: number): Promise<Measured> {
  const pool = makePool(target, callers);
  const lines: Line[] = [];
  try {
    await openLines(target, pool, callers, lines);
    await loopAll(lines, Math.min(WARM_UP_MS, forMs));
    const before = spent(target);
    const startedAt = performance.now();
    const { times, failed, wrong, firstFailure } = await loopAll(lines, forMs);
    const tookMs = performance.now() - startedAt;
    const after = spent(target);
    const at = percentiles(times);
    return {
      calls: times.length,
      callsPerSecond: (times.length / tookMs) * 1_000,
      p50Ms: at(0.5),
      p95Ms: at(0.95),
      cpuMsPerCall: perCall(before.own?.cpuMs, after.own?.cpuMs, times.length),
      databaseMsPerCall: perCall(before.databaseMs, after.databaseMs, times.length),
      residentMb: after.own?.residentMb ?? null,
      ...{ failed, wrong, firstFailure },
    };
  } finally {
    for (const line of lines) line.close();
    await pool.destroy();
  }
}

const WARM_UP_CALLERS = 16;

/** Brings a process that has just started up to speed, before the first row that counts. */
export async function warmUp(target: Target, seconds: number): Promise<void> {
  await measure(target, WARM_UP_CALLERS, seconds * 1_000);
}

/** The value below which this share of the times lies. Sorts them in place. */
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
  const pool = makePool(target, 1);
  const lines: Line[] = [];
  await openLines(target, pool, 1, lines);
  const [line] = lines;
  if (line === undefined) throw new Error("There is no line.");
  for (let nth = 0; nth < FAILURES_THAT_OPEN; nth += 1) await line.call(FAIL);
  const times: number[] = [];
  let failed = 0;
  for (let nth = 0; nth < count; nth += 1) {
    const startedAt = performance.now();
    const { text } = await line.call("hello");
    if (!text.includes("circuit_open")) failed += 1;
    times.push(performance.now() - startedAt);
  }
  await pool.destroy();
  const at = percentiles(times);
  return { count, p50Ms: at(0.5), p95Ms: at(0.95), failed };
}
