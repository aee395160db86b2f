// `npm run -s cs -- <command>`: the command line, bundled on first use.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { generate, install, requireNode, root, run } from "./steps.mjs";

const entry = join(root, ".build/cs.js");
try {
  if (!existsSync(entry)) {
    requireNode();
    await install();
    await generate();
    await run(process.execPath, [join(root, "lib/cli/bundle.mjs")], { quiet: true });
  }
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exit(2);
}
const child = spawn(process.execPath, ["--enable-source-maps", entry, ...process.argv.slice(2)], { stdio: "inherit" });
child.on("exit", (code) => process.exit(code ?? 1));
