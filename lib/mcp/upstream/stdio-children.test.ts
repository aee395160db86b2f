import { readFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { isAppError } from "@/lib/core/errors";
import { makeUpstreamPolicy } from "@/lib/mcp/upstream/policy";
import type { Upstream } from "@/lib/mcp/upstream/protocol";
import { type ChildrenOptions, openStdioChildren } from "@/lib/mcp/upstream/stdio-children";
import { startDeadline } from "@/lib/resilience/deadline";
import { stdioProgram } from "@/lib/testing/fault-program";

const policy = makeUpstreamPolicy();
const open: Upstream[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()));
});

/** Says which process answers: at once, after a while, or never. Lists are answered too. */
const WHO = `(m, write) => {
  const result = { pid: process.pid };
  const wait = m.params.arguments?.wait;
  if (wait === undefined) return result;
  if (wait >= 0) setTimeout(() => write({ id: m.id, result }), wait);
}`;

function start(
  on: string,
  maxChildren: number,
  timing: Pick<ChildrenOptions, "idleMs" | "reapEveryMs"> = {},
): Upstream {
  const endpoint = { command: "node", args: ["-e", stdioProgram(on)], env: {} };
  const upstream = openStdioChildren(
    { endpoint, credential: undefined, policy, deadlineMs: 20_000, ...timing },
    maxChildren,
  );
  open.push(upstream);
  return upstream;
}

async function ask(upstream: Upstream, method: string, args: object = {}, deadlineMs = 20_000): Promise<number> {
  const deadline = startDeadline(deadlineMs);
  try {
    const params = { name: "x", arguments: args };
    return Number((await upstream.request({ method, params, deadline })).result["pid"]);
  } finally {
    deadline.release();
  }
}
const call = (upstream: Upstream, args: object = {}, deadlineMs?: number) =>
  ask(upstream, "tools/call", args, deadlineMs);
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => "ok",
    (cause) => (isAppError(cause) ? cause.code : String(cause)),
  );
const figures = (upstream: Upstream) => upstream.connections?.() ?? { open: 0, created: 0, reused: 0 };

async function until(holds: () => boolean | Promise<boolean>, patienceMs = 20_000): Promise<boolean> {
  for (const end = Date.now() + patienceMs; Date.now() < end; await new Promise((go) => setTimeout(go, 20))) {
    if (await holds()) return true;
  }
  return false;
}

function runs(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

describe("programs side by side", () => {
  it("are warm before the first call, which then starts none", async () => {
    const upstream = start(WHO, 3);
    upstream.keepWarm?.(2);
    expect(await until(() => figures(upstream).open === 2)).toBe(true);
    const pids = await Promise.all([call(upstream, { wait: 100 }), call(upstream, { wait: 100 })]);
    expect(new Set(pids).size).toBe(2);
    expect(figures(upstream)).toEqual({ open: 2, created: 2, reused: 0 });
  });

  it("are as many as are busy, and never more than allowed", async () => {
    const upstream = start(WHO, 2);
    await call(upstream);
    await call(upstream);
    expect(figures(upstream)).toMatchObject({ open: 1, created: 1, reused: 1 });
    const pids = await Promise.all(Array.from({ length: 6 }, () => call(upstream, { wait: 100 })));
    expect(new Set(pids).size).toBe(2);
    expect(figures(upstream)).toMatchObject({ open: 2, created: 2 });
  });

  it("end when they idle, however often somebody looks at a list, and the base stays", async () => {
    const upstream = start(WHO, 4, { idleMs: 300, reapEveryMs: 50 });
    upstream.keepWarm?.(2);
    const pids = await Promise.all(Array.from({ length: 4 }, () => call(upstream, { wait: 200 })));
    expect(new Set(pids).size).toBe(4);
    // The base is busy, so every look meets one of the others.
    const busy = [0, 1].map(() => codeOf(call(upstream, { wait: -1 }, 30_000)));
    const isReaped = async () => {
      await ask(upstream, "tools/list");
      return figures(upstream).open === 2;
    };
    expect(await until(isReaped)).toBe(true);
    expect(figures(upstream).created).toBe(4);
    await upstream.close();
    expect(await Promise.all(busy)).toEqual(["upstream_unreachable", "upstream_unreachable"]);
    expect(pids.filter(runs)).toEqual([]);
  });

  it("are not started for a look", async () => {
    const upstream = start(WHO, 3);
    await call(upstream);
    const busy = codeOf(call(upstream, { wait: -1 }, 30_000));
    await ask(upstream, "tools/list");
    expect(figures(upstream).created).toBe(1);
    await upstream.close();
    await busy;
  });
});

describe("a program that misbehaves", () => {
  it("by standing still fails its call in time, is ended although it hears no signal, and is started anew", async () => {
    const upstream = start(WHO, 1);
    const pid = await call(upstream);
    process.kill(pid, "SIGSTOP");
    expect(await codeOf(call(upstream, {}, 300))).toBe("upstream_timeout");
    expect(await until(() => !runs(pid))).toBe(true);
    const next = await call(upstream);
    expect(next).not.toBe(pid);
    expect(figures(upstream)).toMatchObject({ open: 1, created: 2 });
  }, 60_000);

  it("by not reading is ended before what waits for it grows without bound", async () => {
    const upstream = start("(m) => (m.params.arguments.stop ? process.kill(process.pid, 'SIGSTOP') : {})", 1);
    await call(upstream);
    const stopped = codeOf(call(upstream, { stop: true }));
    const blob = "x".repeat(4 * 1_024 * 1_024);
    const calls = await Promise.all(Array.from({ length: 6 }, () => codeOf(call(upstream, { blob }))));
    expect([...calls, await stopped]).toEqual(Array.from({ length: 7 }, () => "upstream_unreachable"));
  });

  it.each([
    ["garbage", "'nobody asked for this\\n'.repeat(1e3)"],
    ["empty lines", "'\\n'.repeat(1e4)"],
    ["notifications", '\'{"jsonrpc":"2.0","method":"notifications/message"}\\n\'.repeat(1e3)'],
    ["one line", "'{' + 'x'.repeat(1 << 20)"],
  ])("by printing %s without end is given up", async (_what, piece) => {
    const flood = `const piece = ${piece}; const flood = () => { while (process.stdout.write(piece)); process.stdout.once("drain", flood); }`;
    const on = `(m) => { if (!m.params.arguments.flood) return { pid: process.pid }; ${flood}; flood(); }`;
    const upstream = start(on, 1);
    const pid = await call(upstream);
    expect(await codeOf(call(upstream, { flood: true }))).toBe("upstream_protocol");
    expect(await until(() => !runs(pid))).toBe(true);
    expect(await call(upstream)).not.toBe(pid);
  });

  it("by printing some garbage beside its answers is none the worse for it", async () => {
    const upstream = start("(m) => { console.log('debug\\n'.repeat(500)); return { pid: process.pid } }", 1);
    const pids = new Set<number>();
    for (let each = 0; each < 20; each += 1) pids.add(await call(upstream));
    expect(pids.size).toBe(1);
  });

  it("by ending right after its answer is heard all the same", async () => {
    for (let each = 0; each < 5; each += 1) {
      const on = "(m, write) => { write({ id: m.id, result: { pid: process.pid } }); process.exit(0) }";
      expect(await call(start(on, 1))).toBeGreaterThan(0);
    }
  });
});
