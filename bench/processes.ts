import { readdirSync, readFileSync } from "node:fs";

const CLOCK_TICK_MS = 10;

/** What a process, or a family of them, has used. Null where the system does not tell (it does on Linux). */
export type Used = { readonly cpuMs: number; readonly residentMb: number };

/** User and system time and resident memory of one process, from the kernel's own books. */
export function usedBy(pid: number): Used | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const resident = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return {
      cpuMs: (Number(fields[11]) + Number(fields[12])) * CLOCK_TICK_MS,
      residentMb: Number(resident ?? 0) / 1_024,
    };
  } catch {
    return null;
  }
}

function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, "utf8")
        .split(" ")
        .filter((each) => each !== "")
        .map(Number),
    );
  } catch {
    return [];
  }
}

/** A process and everything it started. Pages that two of them share are counted twice. */
export function usedByFamily(pid: number): Used | null {
  const own = usedBy(pid);
  if (own === null) return null;
  return childrenOf(pid).reduce<Used>((sum, child) => {
    const more = usedByFamily(child);
    return more === null ? sum : { cpuMs: sum.cpuMs + more.cpuMs, residentMb: sum.residentMb + more.residentMb };
  }, own);
}

/** CPU time of all sessions of a database on this machine; PostgreSQL writes the database's name into their titles. */
export function sessionsCpuMs(database: string): number | null {
  let sum: number | null = null;
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const title = readFileSync(`/proc/${pid}/cmdline`, "utf8");
      if (title.includes(` ${database} `)) sum = (sum ?? 0) + (usedBy(Number(pid))?.cpuMs ?? 0);
    } catch {
      // It ended meanwhile.
    }
  }
  return sum;
}
