import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { join } from "node:path";
import { build, type Plugin } from "esbuild";
import { appRoot } from "@/lib/db/app-root";

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

/** A port that nobody listens on now. */
export const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });

/** Starts a process that serves the door alone, and waits until it does. */
export async function startDoor(
  entry: string,
  port: number,
  extraEnv: Readonly<Record<string, string>> = {},
): Promise<ChildProcess> {
  const child = spawn(process.execPath, [entry, "--door-only"], {
    cwd: appRoot(),
    stdio: ["ignore", "ignore", "inherit"],
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
      ...extraEnv,
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
  throw new Error("The gateway did not start.");
}

/** Waits for the end of a process. */
export const gone = (child: ChildProcess): Promise<void> =>
  child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve()
    : new Promise((resolve) => child.once("exit", () => resolve()));
