// `npm start`: everything a fresh machine needs, then the server. Each step is skipped when its inputs did not change.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build, generate, install, requireNode, root, run, StepFailed } from "./steps.mjs";

const flags = new Set(process.argv.slice(2));

async function prepare() {
  requireNode();
  await install();
  await generate();
  if (flags.has("--generate-only")) return false;
  if (flags.has("--dev")) await run(process.execPath, [join(root, "lib/cli/bundle.mjs")], { quiet: true });
  else await build();
  return !flags.has("--build-only");
}

/** Becomes the server: one process, so that a signal or a kill meets the server itself. */
async function serve() {
  process.env.NODE_ENV = flags.has("--dev") ? "development" : "production";
  process.env.NEXT_TELEMETRY_DISABLED = "1";
  process.setSourceMapsEnabled(true);
  process.chdir(root);
  await import(pathToFileURL(join(root, ".build/server.js")).href);
}

try {
  if (await prepare()) await serve();
} catch (error) {
  process.stderr.write(`\n${error instanceof StepFailed ? error.message : error.stack}\n`);
  process.exit(1);
}
