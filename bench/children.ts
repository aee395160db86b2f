import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDatabase, dropDatabase } from "@/bench/database";
import type { UpstreamSpec } from "@/bench/echo-upstream";
import type { GatewayKind, Options, UpstreamKind } from "@/bench/options";
import type { Prepared, WorldSpec } from "@/bench/prepare";
import { appRoot } from "@/lib/db/app-root";
import { startFlags } from "@/lib/testing/start-flags";

/** Parts that this script plays when it starts itself; each says one thing when it is ready. */
export type Part =
  | ({ readonly part: "upstream"; readonly kind: UpstreamKind } & UpstreamSpec)
  | ({ readonly part: "stdio-upstream" } & UpstreamSpec)
  | { readonly part: "prepare"; readonly url: string; readonly dataDir: string; readonly spec: WorldSpec };

const built = (file: string): string => join(appRoot(), ".build", file);
export const benchScript = (): string => built("bench.js");

/** What a started process prints is shown only on demand: it would tear the tables apart. */
export const spoken = (): "ignore" | "inherit" => (process.env["BENCH_LOG"] === undefined ? "ignore" : "inherit");

/** A prepared database, until it is dropped. */
export type World = Prepared & {
  /** Name of the database: how its sessions are told from others'. */
  readonly database: string;
  readonly drop: () => Promise<unknown>;
};

const children = new Set<ChildProcess>();

/** Remembers a child, so that none outlives the benchmark. */
export function keep(child: ChildProcess): ChildProcess {
  children.add(child);
  child.once("exit", () => children.delete(child));
  return child;
}

/** Ends every child that is still there, at once. */
function killAll(): void {
  for (const child of children) child.kill("SIGKILL");
}

type CleanUp = () => Promise<void>;
const remains = new Set<CleanUp>();

/** Promises that something is cleaned up: by whoever calls the result, at the latest when the benchmark ends. */
export function cleanedUp(work: () => unknown): CleanUp {
  const cleanUp = async () => {
    await work();
    remains.delete(cleanUp);
  };
  remains.add(cleanUp);
  return cleanUp;
}

/** Leaves nothing behind, wherever the benchmark was when it was stopped. */
export async function leaveNothing(): Promise<void> {
  killAll();
  await Promise.allSettled([...remains].map((cleanUp) => cleanUp()));
}

/** A folder for as long as the benchmark needs it. */
export function temporaryFolder(): { readonly path: string; readonly remove: CleanUp } {
  const path = mkdtempSync(join(tmpdir(), "cs-bench-"));
  return { path, remove: cleanedUp(() => rmSync(path, { recursive: true, force: true })) };
}

/** Asks a child to end and waits until it has. */
export function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once("exit", () => resolve());
    child.kill("SIGTERM");
    setTimeout(() => child.kill("SIGKILL"), 15_000).unref();
  });
}

/** Starts this script in a part of its own; resolves with the first thing it says. */
function play<T>(part: Part): Promise<{ readonly child: ChildProcess; readonly said: T }> {
  const stdio = ["ignore", spoken(), "inherit", "ipc"] as const;
  const child = keep(
    spawn(process.execPath, ["--enable-source-maps", benchScript(), JSON.stringify(part)], { stdio: [...stdio] }),
  );
  return new Promise((resolve, reject) => {
    child.once("message", (said) => resolve({ child, said: said as T }));
    child.once("exit", (code) => reject(new Error(`${part.part} ended with ${code} before it was ready.`)));
  });
}

export type Upstream = { readonly url: string; readonly child: ChildProcess };

/** An upstream server in a process of its own. */
export async function startUpstream(kind: UpstreamKind, spec: UpstreamSpec): Promise<Upstream> {
  const { child, said } = await play<{ readonly port: number }>({ part: "upstream", kind, ...spec });
  return { child, url: `http://127.0.0.1:${said.port}/mcp` };
}

/** A database with tenants, servers and agents, made in a process of its own because settings are read once per process. */
export async function makeWorld(server: string, spec: WorldSpec): Promise<World> {
  const { name, url } = await createDatabase(server);
  const drop = cleanedUp(() => dropDatabase(server, name));
  const data = temporaryFolder();
  const { child, said } = await play<Prepared>({ part: "prepare", url, dataDir: data.path, spec });
  await stop(child);
  return { ...said, database: name, drop: () => Promise.all([drop(), data.remove()]) };
}

export const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });

const NAMES = { server: "server.ts", door: "server.ts --door-only", next: "next start" } as const;

/** The gateways a table is about: those asked for, as far as there is a build for them. */
export function gatewaysFor({ only }: Options, wanted: readonly GatewayKind[]): readonly GatewayKind[] {
  if (only === "door") return ["door"];
  if (existsSync(join(appRoot(), ".next/BUILD_ID"))) return only === null ? wanted : [only];
  if (only === "next") throw new Error("There is no build for `next start`: npm run build.");
  process.stderr.write("There is no Next build (npm run build), so only the door is measured, without the console.\n");
  return ["door"];
}

export const nameOf = (kind: GatewayKind): string => NAMES[kind];

export type Running = { readonly child: ChildProcess; readonly url: string };

/** A gateway over a prepared database, ready to be called. */
export async function startGateway(
  kind: GatewayKind,
  world: World,
  { profileDir, nodeFlags }: Options,
): Promise<Running> {
  const port = await freePort();
  const profile = profileDir === null ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileDir}`];
  const program = {
    server: [built("server.js")],
    door: [built("server.js"), "--door-only"],
    next: [join(appRoot(), "node_modules/next/dist/bin/next"), "start", "-H", "127.0.0.1", "-p", String(port)],
  }[kind];
  const child = keep(
    spawn(process.execPath, [...profile, ...startFlags(), ...nodeFlags, ...program], {
      cwd: appRoot(),
      stdio: ["ignore", spoken(), "inherit"],
      env: { ...process.env, ...world.env, PORT: String(port), NODE_ENV: "production", NEXT_TELEMETRY_DISABLED: "1" },
    }),
  );
  const url = `http://127.0.0.1:${port}/api/mcp`;
  await untilReady(nameOf(kind), child, () => fetch(`${url}/errors.md`).then((answer) => answer.ok));
  return { child, url };
}

const READY_MS = 60_000;

/** Waits until a started program answers; rejects when it ends before, or takes longer than a minute. */
export async function untilReady(name: string, child: ChildProcess, answers: () => Promise<boolean>): Promise<void> {
  const giveUpAt = Date.now() + READY_MS;
  while (Date.now() < giveUpAt) {
    if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode} while it started.`);
    if (await answers().catch(() => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${name} did not answer within ${READY_MS / 1_000} s.`);
}
