import type { FixedHistogram } from "@/lib/metrics/call-totals";

/** Text format 0.0.4 of Prometheus. https://prometheus.io/docs/instrumenting/exposition_formats/ */
export const EXPOSITION_TYPE = "text/plain; version=0.0.4; charset=utf-8";

type Labels = Readonly<Record<string, string>>;
export type Sample = { readonly labels?: Labels; readonly value: number };

/** All samples of one name. Times are in seconds, sizes in bytes, shares 0..1. */
export type Family = { readonly name: string; readonly help: string } & (
  | { readonly type: "counter" | "gauge"; readonly samples: readonly Sample[] }
  | { readonly type: "histogram"; readonly histogram: FixedHistogram }
);

/** Writes families one after the other, each with its help and type. */
export const exposition = (families: readonly Family[]): string => families.map(toText).join("");

function toText(family: Family): string {
  const head = `# HELP ${family.name} ${escapeHelp(family.help)}\n# TYPE ${family.name} ${family.type}\n`;
  const lines =
    family.type === "histogram"
      ? histogramLines(family.name, family.histogram)
      : family.samples.map(({ labels, value }) => line(family.name, labels, value));
  return head + lines.join("");
}

function histogramLines(name: string, { boundsMs, counts, sumMs }: FixedHistogram): readonly string[] {
  let upto = 0;
  const buckets = counts.map((count, place) => {
    upto += count;
    const bound = boundsMs[place];
    return line(`${name}_bucket`, { le: bound === undefined ? "+Inf" : String(bound / 1_000) }, upto);
  });
  return [...buckets, line(`${name}_sum`, undefined, sumMs / 1_000), line(`${name}_count`, undefined, upto)];
}

function line(name: string, labels: Labels | undefined, value: number): string {
  const pairs = Object.entries(labels ?? {}).map(([label, text]) => `${label}="${escapeLabel(text)}"`);
  return `${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${numberText(value)}\n`;
}

const numberText = (value: number): string =>
  Number.isNaN(value) ? "NaN" : value === Infinity ? "+Inf" : value === -Infinity ? "-Inf" : String(value);
const escapeHelp = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
const escapeLabel = (text: string): string => escapeHelp(text).replaceAll('"', '\\"');
