import { readFile, rm, stat, writeFile } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";

const STALE_MS = 120_000;
const PATIENCE_MS = 90_000;

/** Runs `work` while no other process of ours starts or stops the server of the same data folder. */
export async function withStartLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  const giveUpAt = performance.now() + PATIENCE_MS;
  while (!(await take(file))) {
    if (await isAbandoned(file)) await rm(file, { force: true });
    else if (performance.now() > giveUpAt) throw new Error(`Another process has held ${file} for too long.`);
    else await wait(50);
  }
  try {
    return await work();
  } finally {
    await rm(file, { force: true });
  }
}

async function take(file: string): Promise<boolean> {
  try {
    await writeFile(file, `${process.pid}\n`, { flag: "wx", mode: 0o600 });
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw cause;
  }
}

/** Its holder is gone, or its process id now belongs to somebody else and the file is old. */
async function isAbandoned(file: string): Promise<boolean> {
  const [text, found] = await Promise.all([readFile(file, "utf8").catch(() => ""), stat(file).catch(() => null)]);
  if (found === null) return false;
  const ageMs = Date.now() - found.mtimeMs;
  const pid = Number(text.trim());
  // An empty file is one whose holder is between creating and writing it.
  if (!Number.isInteger(pid) || pid <= 0) return ageMs > 5_000;
  return !isAlive(pid) || ageMs > STALE_MS;
}

/** True while a process with this id exists, ours or not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === "EPERM";
  }
}
