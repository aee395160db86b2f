// What `npm start` and `npm test` share. Plain JavaScript on Node's own modules: it runs before anything is installed.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));
const stampFile = join(root, "node_modules", ".countersign-stamps.json");

export class StepFailed extends Error {}

/** Stops early, with the reason, on a Node that cannot run this. */
export function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  throw new StepFailed(`Node 20.19 or newer is needed; this is ${process.versions.node}.`);
}

function readStamps() {
  try {
    return JSON.parse(readFileSync(stampFile, "utf8"));
  } catch {
    return {};
  }
}

function writeStamp(name, value) {
  mkdirSync(join(root, "node_modules"), { recursive: true });
  writeFileSync(stampFile, JSON.stringify({ ...readStamps(), [name]: value }, null, 2));
}

const SKIPPED = new Set(["node_modules", ".next", ".build", ".data", ".git", "generated", "test-results"]);

function* filesUnder(path) {
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (SKIPPED.has(entry.name)) continue;
    const full = join(path, entry.name);
    if (entry.isDirectory()) yield* filesUnder(full);
    else if (entry.isFile()) yield full;
  }
}

/** One digest over the names and bytes of files and folders, relative to the root. */
export function digestOf(paths) {
  const hash = createHash("sha256");
  for (const path of paths) {
    const full = join(root, path);
    if (!existsSync(full)) continue;
    const files = path.includes(".") ? [full] : [...filesUnder(full)].sort();
    for (const file of files) hash.update(file.slice(root.length)).update("\0").update(readFileSync(file)).update("\0");
  }
  return hash.digest("hex");
}

/** Runs a program; rejects with its last words when it fails. */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: root,
      stdio: options.quiet ? ["ignore", "pipe", "pipe"] : ["ignore", "inherit", "inherit"],
      env: { ...process.env, NEXT_TELEMETRY_DISABLED: "1", DO_NOT_TRACK: "1", ...options.env },
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream?.on("data", (chunk) => (output = (output + chunk).slice(-200_000)));
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve(output);
      else reject(Object.assign(new StepFailed(`${command} ${args.join(" ")} ended with ${code}`), { output }));
    });
  });
}

export const bin = (name) => join(root, "node_modules", ".bin", name);

/** Does `work` unless its inputs are what they were when it last succeeded. */
async function unlessUnchanged(name, digest, isThere, work) {
  if (readStamps()[name] === digest && isThere()) return false;
  const startedAt = Date.now();
  process.stdout.write(`  ${name} …`);
  try {
    await work();
  } catch (error) {
    process.stdout.write(" failed\n");
    if (error.output) process.stderr.write(`${error.output}\n`);
    throw error;
  }
  writeStamp(name, digest);
  process.stdout.write(` ${((Date.now() - startedAt) / 1000).toFixed(1)} s\n`);
  return true;
}

export const install = () =>
  unlessUnchanged(
    "install",
    `${digestOf(["package.json", "package-lock.json"])} ${process.versions.modules}`,
    () => existsSync(bin("next")),
    () => run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], { quiet: true }),
  );

// Prisma would look for an engine to download; generating needs none (any program that exists satisfies it).
export const generate = () =>
  unlessUnchanged(
    "generate",
    digestOf(["package-lock.json", "prisma/schema.prisma", "prisma.config.ts"]),
    () => existsSync(join(root, "lib/generated/prisma/client.ts")),
    () =>
      run(bin("prisma"), ["generate"], {
        quiet: true,
        env: { PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, PRISMA_HIDE_UPDATE_MESSAGE: "1" },
      }),
  );

const SOURCES = [
  "package-lock.json",
  "app",
  "components",
  "lib",
  "prisma",
  "public",
  "bench",
  "server.ts",
  "instrumentation.ts",
  "proxy.ts",
  "next.config.js",
  "postcss.config.mjs",
  "tsconfig.json",
];

export const build = () =>
  unlessUnchanged(
    "build",
    digestOf(SOURCES),
    () => existsSync(join(root, ".next/BUILD_ID")) && existsSync(join(root, ".build/server.js")),
    async () => {
      await run(process.execPath, [join(root, "lib/cli/bundle.mjs")], { quiet: true });
      await run(bin("next"), ["build"], { quiet: true, env: { NODE_ENV: "production" } });
    },
  );
