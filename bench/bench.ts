import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { cpus, loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { runEchoUpstream } from "@/bench/echo-upstream";
import { type Measured, measure, measureRefusals, type Target } from "@/bench/load";
import { type Prepared, prepare } from "@/bench/prepare";
import { appRoot } from "@/lib/db/app-root";

/**
 * What governing costs: the same call sent directly, through server.ts, and through `next start`; trail on.
 * `npm run bench [-- --callers 1,64 --seconds 5 --only server]`. Everything shares this machine's cores.
 */
const DATABASE = process.env["BENCH_DATABASE_URL"] ?? "postgres://postgres@127.0.0.1:5432/postgres";
const self = fileURLToPath(import.meta.url);
const root = `${appRoot()}/`;

function option(name: string, otherwise: string): string {
  const at = process.argv.indexOf(`--${name}`);
  return at === -1 ? otherwise : (process.argv[at + 1] ?? otherwise);
}

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });

async function startUpstream(): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, [self, "upstream"], { stdio: ["ignore", "pipe", "inherit"] });
  const port = await new Promise<string>((resolve) =>
    child.stdout?.once("data", (data: Buffer) => resolve(String(data).trim())),
  );
  return { child, url: `http://127.0.0.1:${port}/mcp` };
}

type Gateway = { readonly name: string; readonly args: readonly string[] };

const profiled = [
  ...(option("profile", "") === "" ? [] : ["--cpu-prof", `--cpu-prof-dir=${option("profile", "")}`]),
  ...option("node", "")
    .split(" ")
    .filter((flag) => flag !== ""),
];

function gateways(): Gateway[] {
  const built = existsSync(`${root}.next/BUILD_ID`);
  const server: Gateway = {
    name: built ? "server.ts" : "server.ts --door-only",
    args: [...profiled, fileURLToPath(new URL("server.js", import.meta.url)), ...(built ? [] : ["--door-only"])],
  };
  const next: Gateway = { name: "next start", args: [...profiled, `${root}node_modules/.bin/next`, "start"] };
  const wanted = option("only", "");
  if (wanted === "server") return [server];
  if (wanted === "next") {
    if (!built) throw new Error("There is no build for `next start`: npm run build.");
    return [next];
  }
  if (!built) process.stderr.write("There is no build, so `next start` is left out (npm run build).\n");
  return built ? [server, next] : [server];
}

async function startGateway(gateway: Gateway, prepared: Prepared): Promise<{ child: ChildProcess; url: string }> {
  const port = await freePort();
  const child = spawn(process.execPath, [...gateway.args], {
    cwd: root,
    stdio: ["ignore", process.env["BENCH_LOG"] === undefined ? "ignore" : "inherit", "inherit"],
    env: { ...process.env, ...prepared.env, PORT: String(port), NODE_ENV: "production" },
  });
  const url = `http://127.0.0.1:${port}/api/mcp`;
  for (let tries = 0; tries < 300; tries += 1) {
    const up = await fetch(`${url}/errors.md`).then(
      (answer) => answer.ok,
      () => false,
    );
    if (up) return { child, url };
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${gateway.name} did not start.`);
}

function stop(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once("exit", () => resolve());
    child.kill("SIGTERM");
    setTimeout(() => child.kill("SIGKILL"), 15_000).unref();
  });
}

const HEAD =
  "| callers | target | calls/s | of direct | P50 ms | P95 ms | CPU ms/call | database CPU ms/call | failed |\n| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |";

const REFUSALS = 200;
const REFUSAL_HEAD =
  "Refusals of an open circuit, one after the other:\n\n| target | refusals | P50 ms | P95 ms | failed |\n| --- | ---: | ---: | ---: | ---: |";

/** Without these the figures say little. */
function surroundings(seconds: number): string {
  const [load = 0] = loadavg();
  return [
    `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? "?"}, load before ${load.toFixed(1)}; ${seconds} s per row, the direct call half of that.`,
    "On: key check, permission map, limits, circuit, sealed payloads, intent and outcome each durable in PostgreSQL.",
    "Load, server, gateway and database share this machine.",
  ].join("\n");
}

const shown = (ms: number | null): string => (ms === null ? "-" : ms.toFixed(3));

function row(callers: number, name: string, measured: Measured, direct: number): string {
  const { callsPerSecond, p50Ms, p95Ms, failed } = measured;
  const ratio = (callsPerSecond / direct).toFixed(2);
  const cpu = shown(measured.cpuMsPerCall);
  const database = shown(measured.databaseMsPerCall);
  return `| ${callers} | ${name} | ${Math.round(callsPerSecond)} | ${ratio} | ${p50Ms.toFixed(2)} | ${p95Ms.toFixed(2)} | ${cpu} | ${database} | ${failed} |`;
}

async function main(): Promise<void> {
  const upstream = await startUpstream();
  const prepared = await prepare(DATABASE, upstream.url);
  const seconds = Number(option("seconds", "4"));
  const callerCounts = option("callers", "1,16,64,500").split(",").map(Number);
  const direct: Target = {
    name: "direct",
    url: upstream.url,
    tool: "echo",
    key: null,
    pid: upstream.child.pid ?? 0,
    database: null,
  };
  const refusals: string[] = [];
  process.stdout.write(`${surroundings(seconds)}\n\n${HEAD}\n`);
  try {
    for (const gateway of gateways()) {
      const { child, url } = await startGateway(gateway, prepared);
      const through: Target = {
        name: gateway.name,
        url,
        tool: prepared.tool,
        key: prepared.key,
        pid: child.pid ?? 0,
        database: prepared.database,
      };
      for (const callers of callerCounts) {
        // The direct rate is measured right before, because a shared machine is not the same for long.
        const base = await measure(direct, callers, (seconds * 1_000) / 2);
        const governed = await measure(through, callers, seconds * 1_000);
        process.stdout.write(`${row(callers, "direct", base, base.callsPerSecond)}\n`);
        process.stdout.write(`${row(callers, gateway.name, governed, base.callsPerSecond)}\n`);
      }
      const refused = await measureRefusals(through, REFUSALS);
      refusals.push(
        `| ${gateway.name} | ${refused.count} | ${refused.p50Ms.toFixed(2)} | ${refused.p95Ms.toFixed(2)} | ${refused.failed} |`,
      );
      await stop(child);
    }
    process.stdout.write(`\n${REFUSAL_HEAD}\n${refusals.join("\n")}\n`);
  } finally {
    upstream.child.kill();
    await prepared.drop();
  }
}

if (process.argv[2] === "upstream") runEchoUpstream();
else await main();
