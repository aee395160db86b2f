import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** The folder of this installation: the nearest one, from where we were started or from our script, with our migrations. */
export function appRoot(): string {
  for (const start of [process.cwd(), dirname(process.argv[1] ?? process.cwd())]) {
    for (let folder = start; ; folder = dirname(folder)) {
      if (existsSync(join(folder, "prisma", "migrations", "migration_lock.toml"))) return folder;
      if (folder === dirname(folder)) break;
    }
  }
  throw new Error("prisma/migrations was not found: start Countersign from its own folder.");
}
