import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { build } from "esbuild";

/** What `buildForTest` made: the entry to run, every module that went into it, and the way to clean up. */
export type TestBundle = {
  readonly entry: string;
  readonly inputs: readonly string[];
  readonly remove: () => Promise<void>;
};

/** Bundles a piece of TypeScript as production does, so that a test can run it as a process of its own and kill it. */
export async function buildForTest(source: string): Promise<TestBundle> {
  const root = resolve(import.meta.dirname, "../..");
  await mkdir(join(root, ".build"), { recursive: true });
  // Below the project, so that packages are found.
  const outdir = await mkdtemp(join(root, ".build/test-"));
  const made = await build({
    stdin: { contents: source, resolveDir: root, sourcefile: "main.ts", loader: "ts" },
    outdir,
    entryNames: "main",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    outExtension: { ".js": ".mjs" },
    metafile: true,
    logLevel: "silent",
    packages: "external",
    tsconfig: join(root, "tsconfig.json"),
    plugins: [
      {
        name: "as-in-production",
        setup(builder) {
          builder.onResolve({ filter: /^@\// }, ({ path, resolveDir, kind, pluginData }) =>
            pluginData === "seen"
              ? undefined
              : builder.resolve(`./${path.slice(2)}`, {
                  resolveDir: root,
                  kind,
                  pluginData: "seen",
                  importer: resolveDir,
                }),
          );
          builder.onResolve({ filter: /^server-only$/ }, () => ({ path: join(root, "lib/core/server-only-stub.ts") }));
        },
      },
    ],
  });
  return {
    entry: join(outdir, "main.mjs"),
    inputs: Object.keys(made.metafile.inputs),
    remove: () => rm(outdir, { recursive: true, force: true }),
  };
}
