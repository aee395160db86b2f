import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { newId } from "@/lib/core/ids";
import { buildForTest, type TestBundle } from "@/lib/testing/bundle";

/** A gateway process that makes calls itself, so that nothing but the road and what processes share is measured. */
const CHILD = `
import { boot, shutdown } from "@/lib/gateway/boot";
import { getGateway } from "@/lib/gateway/compose";
import { executeToolCall } from "@/lib/gateway/execute-tool-call";
import { processCount } from "@/lib/audit/process-count";
import { rateOf } from "@/lib/resilience/token-bucket";
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const say = (fact) => process.stdout.write(JSON.stringify({ fact }) + "\\n");
await boot();
const [act, ...args] = process.argv.slice(2);
const gateway = getGateway();
processCount();
await pause(300);
say({ ready: true, alone: processCount() });
await new Promise((resolve) => process.stdin.once("data", resolve));
if (act === "spend") {
  const [key, seconds] = [args[0], Number(args[1])];
  const limits = [{ scope: "tenant", key, rate: rateOf(100) }];
  const passed = [];
  const end = Date.now() + seconds * 1000;
  while (Date.now() < end) {
    const spent = await Promise.all([1, 2, 3, 4].map(() => gateway.rateLimiting.rates.spend(limits)));
    for (const { ok } of spent) if (ok) passed.push(Date.now());
    await pause(10);
  }
  say({ passed });
} else {
  await Promise.all(JSON.parse(args[0]).map(async ({ name, key, server, tool }) => {
    const outcome = await executeToolCall(gateway, {
      credential: { kind: "key", secret: key },
      ref: { server, tool },
      args: {},
      entrance: { requestId: name, door: "/api/mcp", ip: null, userAgent: null },
    });
    say({ name, endedAt: Date.now(), code: outcome.ok ? "ok" : outcome.error.code });
  }));
}
await shutdown();
process.exit(0);
`;

export type Fact = { ready?: boolean; passed?: number[]; name?: string; endedAt?: number; code?: string };
/** A call that a second gateway makes; `name` is its request id, too. */
export type CallElsewhere = { name: string; key: string; server: string; tool: string };
export type Gateway = { readonly next: () => Promise<Fact>; readonly go: () => void; readonly child: ChildProcess };

/** Builds that process for one test file. */
export const buildSecondGateway = (): Promise<TestBundle> => buildForTest(CHILD);

/** Starts it; it waits to be told to go. */
export function startSecondGateway(bundle: TestBundle, redisUrl: string | null, ...args: readonly string[]): Gateway {
  const child = spawn(process.execPath, [bundle.entry, ...args], {
    env: { ...process.env, REDIS_URL: redisUrl ?? "", LOG_LEVEL: "fatal", DEMO: "0", NODE_NO_WARNINGS: "1" },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const facts: Fact[] = [];
  let wake: () => void = () => undefined;
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (!line.startsWith('{"fact"')) return;
    facts.push(JSON.parse(line).fact);
    wake();
  });
  return {
    child,
    go: () => child.stdin?.write("go\n"),
    async next() {
      while (facts.length === 0) {
        await new Promise<void>((resolve, reject) => {
          wake = resolve;
          child.once("exit", (code) => reject(new Error(`The child ended with ${code}.`)));
        });
      }
      return facts.shift() ?? {};
    },
  };
}

/** What two processes together let through of a limit of 100 per second; `midway` happens after 4 seconds. */
export async function spentByTwo(
  start: (redisUrl: string | null, ...args: readonly string[]) => Gateway,
  redisUrl: string | null,
  seconds: number,
  midway?: () => void,
): Promise<number> {
  const key = `t:${newId()}`;
  const two = [0, 1].map(() => start(redisUrl, "spend", key, String(seconds + 0.2)));
  for (const { next } of two) await next();
  for (const { go } of two) go();
  const timer = setTimeout(() => midway?.(), 4_000);
  const passed = (await Promise.all(two.map(({ next }) => next()))).flatMap((fact) => fact.passed ?? []);
  clearTimeout(timer);
  await Promise.all(two.map(async ({ child }) => child.exitCode ?? (await once(child, "exit"))));
  const first = Math.min(...passed);
  return passed.filter((at) => at < first + seconds * 1_000).length;
}
