import { type ChildProcess, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { build, type Plugin } from "esbuild";
import { appRoot } from "@/lib/db/app-root";
import { startFlags } from "@/lib/testing/start-flags";

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

const swapAuditEntry = (root: string): Plugin => ({
  name: "careless",
  setup({ onResolve }) {
    const careless = join(root, "lib/testing/careless-audit-entry.ts");
    onResolve({ filter: /^@\/lib\/gateway\/audit-entry$/ }, ({ importer, kind }) =>
      importer === careless || kind === "entry-point" ? undefined : { path: careless },
    );
  },
});

/** Builds server.ts for this test alone. */
export async function bundleServer(careless = false): Promise<{ entry: string; remove: () => void }> {
  const root = appRoot();
  mkdirSync(join(root, ".build"), { recursive: true });
  const outdir = mkdtempSync(join(root, ".build", "crash-"));
  await build({
    absWorkingDir: root,
    entryPoints: { server: "server.ts" },
    outdir,
    bundle: true,
    platform: "node",
    target: "node20",
    format: "esm",
    packages: "external",
    tsconfig: "tsconfig.json",
    alias: { "server-only": join(root, "lib/core/server-only-stub.ts") },
    plugins: careless ? [swapAuditEntry(root)] : [],
    logLevel: "silent",
  });
  return { entry: join(outdir, "server.js"), remove: () => rmSync(outdir, { recursive: true, force: true }) };
}

/** Below what systems give to outgoing connections, one of which could take the port before it is listened on. */
const PORTS = { from: 20_000, to: 32_000 };

/** A port that nobody listens on now. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(PORTS.from, PORTS.to);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false)).listen(port, "127.0.0.1", () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}

export type DoorOptions = {
  readonly env?: Readonly<Record<string, string>>;
  /** Answers `memoryOf`, which needs the collector at hand. */
  readonly measured?: boolean;
  /** Serves the console too; only for what `npm run build` made. */
  readonly console?: boolean;
};

/** Listens for nothing but our question, and keeps no process alive. */
const MEMORY_PROBE = `
process.on("message", (ask) => {
  if (ask !== "memory") return;
  const resident = process.memoryUsage().rss;
  const peak = process.resourceUsage().maxRSS * 1024;
  for (let round = 0; round < 3; round += 1) globalThis.gc();
  setImmediate(() => {
    globalThis.gc();
    const { heapUsed, external } = process.memoryUsage();
    process.send({ resident, peak, live: heapUsed + external });
  });
});
process.channel.unref();
`;

/** Starts a process that serves the door alone, and waits until it does. */
export async function startDoor(entry: string, port: number, options: DoorOptions = {}): Promise<ChildProcess> {
  const probe = ["--expose-gc", "--import", `data:text/javascript,${encodeURIComponent(MEMORY_PROBE)}`];
  const args = [
    ...startFlags(),
    ...(options.measured === true ? probe : []),
    entry,
    ...(options.console === true ? [] : ["--door-only"]),
  ];
  const child = spawn(process.execPath, args, {
    cwd: appRoot(),
    stdio: ["ignore", "ignore", "inherit", ...(options.measured === true ? (["ipc"] as const) : [])],
    env: {
      ...process.env,
      // Tight loops of calls are what these processes are for; limits have tests of their own.
      RATE_LIMIT_GLOBAL: "10000000",
      RATE_LIMIT_TENANT: "10000000",
      RATE_LIMIT_AGENT: "10000000",
      PORT: String(port),
      DEMO: "0",
      LOG_LEVEL: "error",
      NODE_ENV: "production",
      NODE_NO_WARNINGS: "1",
      ...options.env,
    },
  });
  for (let tries = 0; tries < 600; tries += 1) {
    if (child.exitCode !== null) throw new Error(`The gateway ended with ${child.exitCode} while starting.`);
    const up = await fetch(`http://127.0.0.1:${port}/api/mcp/errors.md`).then(
      (answer) => answer.ok,
      () => false,
    );
    if (up) return child;
    await pause(100);
  }
  child.kill("SIGKILL");
  throw new Error("The gateway did not start.");
}

/** Bytes: resident now and at most so far, as the system counts, and what lives once the rest was collected. */
export type Memory = { readonly resident: number; readonly peak: number; readonly live: number };

/** What a process answers to a question of ours. Listens to it no longer than that: it is asked many times. */
export function askProcess<T>(child: ChildProcess, question: string): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const settled = (): void => {
      child.off("message", onAnswer);
      child.off("exit", onExit);
    };
    const onAnswer = (answer: unknown) => {
      settled();
      resolve(answer as T);
    };
    const fail = (cause: Error) => {
      settled();
      reject(cause);
    };
    const onExit = () => fail(new Error(`The gateway ended before it answered: ${question}`));
    child.on("message", onAnswer);
    child.on("exit", onExit);
    child.send(question, (cause) => {
      if (cause !== null) fail(cause);
    });
  });
}

/** The memory of a process started with `measured`. */
export const memoryOf = (child: ChildProcess): Promise<Memory> => askProcess<Memory>(child, "memory");

/** Waits for the end of a process. */
export const gone = (child: ChildProcess): Promise<void> =>
  child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve()
    : new Promise((resolve) => child.once("exit", () => resolve()));
