import { lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Whose a home is: a process, when it began (numbers of processes come back), and among which processes it counts. */
type Owner = { readonly pid: number; readonly began: string; readonly space: string };

const NAME = /^cs-stdio-(\d+)\.(\d+)\.(\d+)-/;
const UNKNOWN = "0";

/** What the system says of a process; null where there is none, or no such system. */
function beganAt(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name, in brackets, may hold anything; the start is the twentieth word after it.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
  } catch {
    return null;
  }
}

function spaceOf(): string {
  try {
    return /\d+/.exec(readlinkSync("/proc/self/ns/pid"))?.[0] ?? UNKNOWN;
  } catch {
    return UNKNOWN;
  }
}

const self = (): Owner => ({ pid: process.pid, began: beganAt(process.pid) ?? UNKNOWN, space: spaceOf() });

function lives({ pid, began }: Owner): boolean {
  if (began !== UNKNOWN) return beganAt(pid) === began;
  try {
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    return (cause as { code?: unknown }).code === "EPERM";
  }
}

/** An empty folder for one program, named after the process that will remove it. */
export function makeHome(): string {
  const { pid, began, space } = self();
  return mkdtempSync(join(tmpdir(), `cs-stdio-${pid}.${began}.${space}-`));
}

/** Removes the homes that a killed process could not remove; those of living ones, and of others' machines, stay. Returns how many. */
export function removeDeadHomes(): number {
  const { space } = self();
  let removed = 0;
  for (const name of readdirSync(tmpdir())) {
    const found = NAME.exec(name);
    if (found === null || found[3] !== space) continue;
    if (lives({ pid: Number(found[1]), began: found[2] ?? UNKNOWN, space })) continue;
    if (removeOwn(join(tmpdir(), name))) removed += 1;
  }
  return removed;
}

/** Anybody may put things into the system's folder: only a folder of this user is removed. */
function removeOwn(path: string): boolean {
  try {
    const about = lstatSync(path);
    if (!about.isDirectory() || about.uid !== process.getuid?.()) return false;
    rmSync(path, { recursive: true, force: true });
    return true;
  } catch {
    // Another process of ours was faster, or it may not be removed: neither is a reason not to start.
    return false;
  }
}
