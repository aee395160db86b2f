import { execFile } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { promisify } from "node:util";

const exec = promisify(execFile);

/** The Inspector needs a newer Node than the product does: both come from npm into a folder of their own, once. */
const INSPECTOR = "@modelcontextprotocol/inspector@2.12.0";
const NODE = `node-${process.platform}-${process.arch}`;
const folder = resolve(".build/tools");

async function installed(): Promise<{ node: string; script: string }> {
  const node = resolve(folder, `node_modules/${NODE}/bin/node`);
  const script = resolve(folder, "node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js");
  if (!existsSync(node) || !existsSync(script)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(resolve(folder, "package.json"), '{ "private": true }\n');
    const quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    await exec("npm", ["install", ...quiet, INSPECTOR, `${NODE}@22.23.3`], { cwd: folder });
  }
  return { node, script };
}

/** Runs the Inspector's command line against a door; what the server answered, or what the Inspector said instead. */
export async function inspect(url: URL, key: string, era: string, args: readonly string[]): Promise<unknown> {
  const { node, script } = await installed();
  const target = ["--cli", url.href, "--transport", "http", "--protocol-era", era, "--format", "json"];
  const header = ["--header", `Authorization: Bearer ${key}`];
  const text = await exec(node, [script, ...target, ...header, ...args], { timeout: 60_000 }).then(
    ({ stdout }) => stdout,
    // Its exit status also says that a tool answered with an error; what it printed is what counts.
    (failure: { stdout: string; stderr: string }) => (failure.stdout.trim() === "" ? failure.stderr : failure.stdout),
  );
  const said = JSON.parse(text) as { readonly result?: unknown; readonly error?: unknown };
  return said.result ?? { isError: true, content: [said.error] };
}
