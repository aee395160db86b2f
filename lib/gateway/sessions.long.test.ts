import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { appRoot } from "@/lib/db/app-root";
import { bundleServer } from "@/lib/testing/door-processes";
import {
  chainsHold,
  faultsOf,
  gatherSessions,
  holdSessions,
  type ManyOptions,
  measureSessions,
  misattributed,
} from "@/lib/testing/many-sessions";
import { withTestDatabase } from "@/lib/testing/test-database";

withTestDatabase();

const tell = (figures: unknown) => process.stdout.write(`${JSON.stringify(figures)}\n`);
const closers: (() => Promise<unknown> | unknown)[] = [];
let entry: string;
beforeAll(async () => {
  const server = await bundleServer();
  entry = server.entry;
  closers.push(server.remove);
});
afterAll(async () => {
  for (const close of closers.reverse()) await close();
});

async function hold(options: Omit<ManyOptions, "count" | "measured">, forMs: number) {
  const held = await gatherSessions({ ...options, count: 1_000, measured: true });
  try {
    const { child, sessions, tenants } = held;
    const figures = await measureSessions(child, sessions, { forMs, everyMs: 10_000 });
    tell(figures);
    expect(faultsOf(sessions)).toEqual([]);
    expect(sessions.filter(({ session }) => session.isListening())).toHaveLength(500);
    expect(figures.calls).toBeGreaterThanOrEqual((1_000 * forMs) / 20_000);
    expect(await misattributed(sessions, tenants)).toEqual([]);
    expect(await chainsHold(tenants)).toBe(true);
    return figures;
  } finally {
    await held.close();
  }
}

describe("a thousand sessions that see 117 tools", () => {
  it("are held for ten minutes while they call: none is dropped, and none is given another's answer", async () => {
    const figures = await hold({ entry }, 10 * 60_000);
    expect(figures.residentKbPerSession).toBeLessThanOrEqual(150);
    expect(figures.liveKbPerSession).toBeLessThanOrEqual(150);
    // At any moment, of a machine that does nothing else: where calls pile up, garbage is let stand for longer.
    expect(figures.peakMb).toBeLessThanOrEqual(220);
  });

  const built = join(appRoot(), ".build/server.js");
  const isBuilt = existsSync(built) && existsSync(join(appRoot(), ".next/BUILD_ID"));
  it.skipIf(!isBuilt)(
    `are held for a minute by the process that serves the console too${isBuilt ? "" : " (not run: npm run build)"}`,
    async () => {
      const figures = await hold({ entry: built, console: true }, 60_000);
      expect(figures.residentKbPerSession).toBeLessThanOrEqual(150);
    },
  );
});

describe("five hundred callers at once", () => {
  it("are answered by a server that takes 5 ms, all of them, and 95 of 100 within a second", async () => {
    const { sessions, close } = await gatherSessions({ entry, count: 500, upstreamMs: 5 });
    closers.push(close);
    await holdSessions(sessions, 3_000, 0);
    for (const { session } of sessions) session.held.tookMs.splice(0);
    await holdSessions(sessions, 20_000, 0);
    const times = sessions.flatMap(({ session }) => session.held.tookMs).sort((a, b) => a - b);
    const p95Ms = times[Math.floor(times.length * 0.95)] ?? Number.POSITIVE_INFINITY;
    tell({ callers: sessions.length, calls: times.length, p95Ms });
    expect(faultsOf(sessions)).toEqual([]);
    expect(p95Ms).toBeLessThan(1_000);
  });
});
