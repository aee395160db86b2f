import { execFile } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer, request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";

const exec = promisify(execFile);

const SUITE = "@modelcontextprotocol/conformance@0.2.0-alpha.12";
const NODE = `node-${process.platform}-${process.arch}`;
const folder = resolve(".build/tools/conformance");

export type Revision = "2025-11-25" | "2026-07-28";
/** What became of one check of the suite; one that ran several times counts as its worst. */
export type Verdict = "SUCCESS" | "INFO" | "SKIPPED" | "WARNING" | "FAILURE";
export type Verdicts = ReadonlyMap<string, Verdict>;

const GRAVITY: readonly Verdict[] = ["SUCCESS", "INFO", "SKIPPED", "WARNING", "FAILURE"];

type Installed = { readonly node: string; readonly script: string };

/**
 * The official suite and the newer Node that it needs, from npm into a folder of their own; null where npm gives none. Another
 * run may install them at the same moment, so the folder gets its name only when everything is in it.
 */
export async function installConformanceSuite(): Promise<Installed | null> {
  const node = join(folder, `node_modules/${NODE}/bin/node`);
  const script = join(folder, "node_modules/@modelcontextprotocol/conformance/dist/index.js");
  if (existsSync(node) && existsSync(script)) return { node, script };
  mkdirSync(dirname(folder), { recursive: true });
  const fresh = mkdtempSync(`${folder}-`);
  writeFileSync(join(fresh, "package.json"), '{ "private": true }\n');
  const quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  try {
    await exec("npm", ["install", ...quiet, SUITE, `${NODE}@22.23.3`], { cwd: fresh, timeout: 100_000 });
    renameSync(fresh, folder);
  } catch {
    rmSync(fresh, { recursive: true, force: true });
    // Where somebody else was quicker, theirs is there now.
    if (!existsSync(node) || !existsSync(script)) return null;
  }
  return { node, script };
}

/** Runs what a revision requires, and what the suite runs beside it, against one address. */
export async function runConformance({ node, script }: Installed, url: string, revision: Revision): Promise<Verdicts> {
  const out = mkdtempSync(join(tmpdir(), "cs-conformance-"));
  try {
    const args = [script, "server", "--url", url, "--requirements", revision, "--output-dir", out];
    // Its exit status says that something failed; which checks did is in the files.
    await exec(node, args, { timeout: 120_000, maxBuffer: 64 * 1024 * 1024 }).catch(() => undefined);
    return verdictsIn(out, revision);
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

function verdictsIn(out: string, revision: Revision): Verdicts {
  const verdicts = new Map<string, Verdict>();
  for (const run of readdirSync(out)) {
    const scenario = /^server-(.*)-\d{4}-\d\d-\d\dT/.exec(run)?.[1];
    const file = join(out, run, "checks.json");
    if (scenario === undefined || !existsSync(file)) continue;
    const checks = JSON.parse(readFileSync(file, "utf8")) as { id: string; status: Verdict }[];
    for (const { id, status } of checks) {
      const name = `${revision} ${scenario}:${id}`;
      const before = verdicts.get(name) ?? "SUCCESS";
      verdicts.set(name, GRAVITY.indexOf(status) > GRAVITY.indexOf(before) ? status : before);
    }
  }
  return verdicts;
}

/** Stands before a door and adds the key, which the suite has no option for. */
export async function openKeyProxy(door: string, key: string): Promise<{ url: string; close: () => Promise<void> }> {
  const target = new URL(door);
  const server = createServer((request, response) => {
    // The Host stays as it came: the suite looks at what becomes of a foreign one.
    const headers = { ...request.headers, authorization: `Bearer ${key}` };
    const options = {
      host: target.hostname,
      port: target.port,
      path: target.pathname,
      method: request.method,
      headers,
    };
    const onward = httpRequest(options, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on("error", () => response.destroy());
    response.on("close", () => onward.destroy());
    request.pipe(onward);
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
}
