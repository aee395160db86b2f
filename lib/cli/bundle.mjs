// Bundles what runs outside of Next: the server in front of it, the command line and the benchmark.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { root } from "./steps.mjs";

const outdir = join(root, ".build");
// Chunks carry a digest in their names, so old ones would pile up.
rmSync(join(outdir, "chunks"), { recursive: true, force: true });

await build({
  absWorkingDir: root,
  entryPoints: { server: "server.ts", cs: "lib/cli/main.ts", bench: "bench/bench.ts" },
  outdir,
  chunkNames: "chunks/[name]-[hash]",
  bundle: true,
  splitting: true,
  platform: "node",
  target: "node20",
  format: "esm",
  sourcemap: true,
  packages: "external",
  tsconfig: "tsconfig.json",
  alias: { "server-only": join(root, "lib/core/server-only-stub.ts") },
  logLevel: "warning",
});
