import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { PrismaPg } from "@prisma/adapter-pg";
import { bindMigrationAwareSqlAdapterFactory } from "@prisma/driver-adapter-utils";
import { singleton } from "@/lib/core/singleton";
import { appRoot } from "@/lib/db/app-root";
import { CONNECT_MS, meet } from "@/lib/db/silence";

export type MigrationFolder = { readonly name: string; readonly sql: string };

type Engine = {
  applyMigrations: (input: unknown) => Promise<{ appliedMigrationNames: string[] }>;
  free: () => void;
};

type EngineModule = {
  __wbg_set_wasm: (exports: WebAssembly.Exports) => void;
  SchemaEngine: { new: (options: unknown, log: (line: string) => void, adapter: unknown) => Promise<Engine> };
};

const PACKAGE = "@prisma/schema-engine-wasm/schema_engine_bg";

/**
 * Prisma's own migration engine as WebAssembly. Its package expects a bundler that links the module;
 * done by hand here, because nothing may be downloaded and the path must survive our bundles. Once per process: the
 * bindings hold one instance, and a second one would read the memory of the first.
 */
async function loadEngine(): Promise<EngineModule> {
  const script = createRequire(join(appRoot(), "package.json")).resolve(PACKAGE);
  const url = pathToFileURL(script).href;
  const bindings = (await import(/* webpackIgnore: true */ /* turbopackIgnore: true */ url)) as EngineModule;
  const bytes = await readFile(script.replace(/\.js$/, ".wasm"));
  const { instance } = await WebAssembly.instantiate(bytes, {
    "./schema_engine_bg.js": bindings as unknown as WebAssembly.ModuleImports,
  });
  bindings.__wbg_set_wasm(instance.exports);
  (instance.exports["__wbindgen_start"] as () => void)();
  return bindings;
}

/**
 * The adapter cuts scripts at every semicolon, comments and function bodies included, and sends the pieces over a pool.
 * Sent whole, a script is one transaction; its record is finished in the same one, so that an unfinished record
 * always means that nothing of the migration is there.
 */
class WholeScripts extends PrismaPg {
  readonly #migrations: ReadonlySet<string>;
  readonly #open: { dispose: () => Promise<void> }[] = [];
  /** What PostgreSQL said; the engine would only pass on that something failed. */
  failure: unknown = null;

  constructor(url: string, folders: readonly MigrationFolder[]) {
    super({
      ...{
        connectionString: url,
        max: 1,
        application_name: "countersign-migrate",
        connectionTimeoutMillis: CONNECT_MS,
      },
      verify: (client, done) => void meet(client, url).then(() => done(), done),
    });
    this.#migrations = new Set(folders.map(({ sql }) => sql));
  }

  override async connect(): ReturnType<PrismaPg["connect"]> {
    const adapter = await super.connect();
    this.#open.push(adapter);
    adapter.executeScript = async (script) => {
      const recorded = this.#migrations.has(script) ? `${script};\n${FINISH_RECORD}` : script;
      try {
        await adapter.underlyingDriver().query(recorded);
      } catch (cause) {
        this.failure = cause;
        throw cause;
      }
    };
    return adapter;
  }

  /** The engine keeps its advisory lock for as long as its session lives, and never ends it. */
  async close(): Promise<void> {
    for (const adapter of this.#open) await adapter.dispose();
  }
}

const FINISH_RECORD =
  "update public._prisma_migrations set finished_at = now() where finished_at is null and rolled_back_at is null";

/** Applies the migrations that the database does not have yet, in order, and returns their names. */
export async function applyMigrations(
  url: string,
  baseDir: string,
  folders: readonly MigrationFolder[],
): Promise<readonly string[]> {
  const { SchemaEngine } = await singleton("db.schema-engine", loadEngine);
  const scripts = new WholeScripts(url, folders);
  const adapter = bindMigrationAwareSqlAdapterFactory(scripts);
  const engine = await SchemaEngine.new({ datamodels: undefined }, () => undefined, adapter);
  try {
    const done = await engine.applyMigrations({
      migrationsList: {
        baseDir,
        lockfile: { path: "migration_lock.toml", content: 'provider = "postgresql"\n' },
        shadowDbInitScript: "",
        migrationDirectories: folders.map(({ name, sql }) => ({
          path: name,
          migrationFile: { path: "migration.sql", content: { tag: "ok", value: sql } },
        })),
      },
      filters: { externalTables: [], externalEnums: [] },
    });
    return done.appliedMigrationNames;
  } catch (cause) {
    throw scripts.failure === null ? cause : migrationFailed(scripts.failure);
  } finally {
    engine.free();
    await scripts.close();
  }
}

function migrationFailed(cause: unknown): Error {
  const { message, hint } = cause as { message: string; hint?: string };
  return new Error(`A migration failed and left nothing behind: ${message}${hint ? ` ${hint}` : ""}`, { cause });
}
