import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

const STOPPED_WITHIN_MS = 30_000;

/** Where the embedded database of a data folder keeps its files; another place where root started it. */
function databaseFolder(dataDir: string): string | null {
  const file = join(dataDir, "postgres.json");
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as { folder: string }).folder : null;
}

/** Ends a database that outlived its server, as under plain `next start`, which ends without a word to anybody. */
async function stopDatabase(folder: string): Promise<void> {
  const file = join(folder, "data", "postmaster.pid");
  if (!existsSync(file)) return;
  const pid = Number(readFileSync(file, "utf8").split("\n")[0]);
  if (!Number.isInteger(pid) || pid < 2) return;
  try {
    process.kill(pid, "SIGINT");
  } catch {
    return; // It ended by itself and left the file.
  }
  const deadline = Date.now() + STOPPED_WITHIN_MS;
  while (existsSync(file) && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 100));
}

/** Leaves nothing behind of a server that has ended: no database, no files. */
export async function removeDataFolder(dataDir: string): Promise<void> {
  const folder = databaseFolder(dataDir);
  if (folder !== null) {
    await stopDatabase(folder);
    rmSync(folder, { recursive: true, force: true });
  }
  rmSync(dataDir, { recursive: true, force: true });
}
