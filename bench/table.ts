import { cpus, loadavg } from "node:os";
import type { Measured } from "@/bench/load";

/** Without these the figures say little. */
export function surroundings(): string {
  const [load = 0] = loadavg();
  return [
    `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? "?"}, load before ${load.toFixed(1)}, ${new Date().toISOString().slice(0, 16)}Z.`,
    "Load generator, upstream, gateway and PostgreSQL share this machine.",
    "On in every row of Countersign: key check, permission map, limits, circuit, sealed payloads, intent and outcome each durable.",
  ].join("\n");
}

export const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** A Markdown row. */
export const cells = (...values: readonly (string | number)[]): string => `| ${values.join(" | ")} |`;

/** The head of a table; columns named with a leading `<` are text, all others figures. */
export function head(columns: readonly string[]): string {
  const names = columns.map((name) => name.replace(/^</, ""));
  return `${cells(...names)}\n${cells(...columns.map((name) => (name.startsWith("<") ? "---" : "---:")))}`;
}

export const fixed = (value: number | null, digits: number): string => (value === null ? "-" : value.toFixed(digits));

const COLUMNS = [
  ...["callers", "<target", "calls/s", "of direct", "P50 ms", "P95 ms", "P50 added ms"],
  ...["CPU ms/call", "database CPU ms/call", "resident MB", "failed", "wrong"],
];

export const loadHead = (...more: readonly string[]): string => head([...COLUMNS, ...more]);

/** One row of load, beside the direct call of the same moment. */
export function loadRow(
  callers: number,
  name: string,
  measured: Measured,
  direct: Measured,
  ...more: string[]
): string {
  const { callsPerSecond, p50Ms, p95Ms, failed, wrong } = measured;
  if (measured.firstFailure !== null) process.stderr.write(`${name}, ${callers} callers: ${measured.firstFailure}\n`);
  return cells(
    ...[callers, name, Math.round(callsPerSecond), fixed(callsPerSecond / direct.callsPerSecond, 3)],
    ...[fixed(p50Ms, 2), fixed(p95Ms, 2), measured === direct ? "-" : fixed(p50Ms - direct.p50Ms, 2)],
    ...[fixed(measured.cpuMsPerCall, 3), fixed(measured.databaseMsPerCall, 3), fixed(measured.residentMb, 0)],
    ...[failed, wrong],
    ...more,
  );
}
