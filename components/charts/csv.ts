import type { ChartPoint, Series } from "@/components/charts/series";

export type CsvCell = string | number | null;

/** Spreadsheets run cells that begin like this, some of them wide signs too; an apostrophe keeps them text. */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;

function cellText(cell: CsvCell): string {
  if (cell === null) return "";
  if (typeof cell === "number") return String(cell);
  const safe = FORMULA.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** RFC 4180. Numbers stay as exact as they came. */
export const toCsv = (rows: readonly (readonly CsvCell[])[]): string =>
  rows.map((row) => `${row.map(cellText).join(",")}\r\n`).join("");

/** One row per bucket, oldest first; nothing measured is an empty cell, never a nought. */
export function pointsToCsv(series: readonly Series[], points: readonly ChartPoint[], unit?: string): string {
  return toCsv([
    ["from", ...series.map(({ label }) => (unit === undefined ? label : `${label} (${unit})`)), "samples"],
    ...points.map((point) => [
      new Date(point.at).toISOString(),
      ...series.map(({ key }) => point.values[key] ?? null),
      point.samples,
    ]),
  ]);
}

/** `files-latency-20261120T1400Z-20261120T1500Z.csv` */
export function csvName(parts: readonly string[], fromMs: number, toMs: number): string {
  const stamp = (ms: number) => `${new Date(ms).toISOString().slice(0, 16).replaceAll(/[-:]/g, "")}Z`;
  const words = parts.map((part) => part.toLowerCase().replaceAll(/[^a-z0-9_.]+/g, "-"));
  return `${[...words, stamp(fromMs), stamp(toMs)].join("-")}.csv`;
}

/** Hands the browser a file that was made in it. */
export function downloadCsv(name: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}
