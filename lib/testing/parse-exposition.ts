export type ParsedSample = {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
};
export type ParsedFamily = { readonly type: string; readonly help: string; readonly samples: ParsedSample[] };

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LINE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|[+-]Inf|NaN)$/;
const PAIR = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,(?=.)|$)/;

/**
 * Reads the Prometheus text format 0.0.4 and refuses what `promtool check metrics` refuses: samples before their type or
 * apart from each other, names and labels out of form, series told twice, histograms that do not add up, counters that do
 * not end in `_total`, help that is missing.
 */
export function parseExposition(text: string): ReadonlyMap<string, ParsedFamily> {
  if (!text.endsWith("\n")) throw new Error("The last line has no end.");
  const families = new Map<string, ParsedFamily>();
  const seen = new Set<string>();
  let current: { name: string; family: ParsedFamily } | null = null;
  let help: { name: string; text: string } | null = null;
  for (const line of text.slice(0, -1).split("\n")) {
    const comment = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line);
    if (comment?.[1] === "HELP") {
      help = { name: comment[2] ?? "", text: comment[3] ?? "" };
      continue;
    }
    if (comment?.[1] === "TYPE") {
      current = openFamily(families, comment[2] ?? "", comment[3] ?? "", help);
      continue;
    }
    const sample = parseLine(line);
    if (current === null || !belongs(sample.name, current.name, current.family.type)) {
      throw new Error(`A sample stands outside of its family: ${line}`);
    }
    noteOnce(seen, sample);
    current.family.samples.push(sample);
  }
  for (const [name, family] of families) checkFamily(name, family);
  return families;
}

function noteOnce(seen: Set<string>, { name, labels }: ParsedSample): void {
  const series = `${name}${JSON.stringify(Object.entries(labels).sort())}`;
  if (seen.has(series)) throw new Error(`A series is told twice: ${series}`);
  seen.add(series);
}

function openFamily(
  families: Map<string, ParsedFamily>,
  name: string,
  type: string,
  help: { name: string; text: string } | null,
) {
  if (!NAME.test(name)) throw new Error(`Not a name: ${name}`);
  if (!["counter", "gauge", "histogram"].includes(type)) throw new Error(`Not a type: ${type}`);
  if (families.has(name)) throw new Error(`A family is told twice: ${name}`);
  if (help?.name !== name || help.text === "") throw new Error(`No help before the type of ${name}`);
  const family: ParsedFamily = { type, help: help.text, samples: [] };
  families.set(name, family);
  return { name, family };
}

const belongs = (sample: string, family: string, type: string): boolean =>
  type === "histogram" ? [`${family}_bucket`, `${family}_sum`, `${family}_count`].includes(sample) : sample === family;

function parseLine(line: string): ParsedSample {
  const found = LINE.exec(line);
  if (found === null) throw new Error(`Not a sample: ${line}`);
  const [, name = "", inner, text = ""] = found;
  const labels: Record<string, string> = {};
  for (let rest = inner ?? ""; rest !== ""; ) {
    const pair = PAIR.exec(rest);
    if (pair === null) throw new Error(`Not labels: ${line}`);
    if (Object.hasOwn(labels, pair[1] ?? "")) throw new Error(`A label is told twice: ${line}`);
    labels[pair[1] ?? ""] = (pair[2] ?? "").replace(/\\(.)/g, (_, mark: string) => (mark === "n" ? "\n" : mark));
    rest = rest.slice(pair[0].length);
  }
  return { name, labels, value: Number(text.replace("Inf", "Infinity")) };
}

function checkFamily(name: string, { type, samples }: ParsedFamily): void {
  if ((type === "counter") !== name.endsWith("_total"))
    throw new Error(`Only counters end in _total, and all do: ${name}`);
  if (type === "counter" && samples.some(({ value }) => !(value >= 0)))
    throw new Error(`A counter below zero: ${name}`);
  if (type !== "histogram") return;
  const buckets = samples.filter((sample) => sample.name.endsWith("_bucket"));
  const bounds = buckets.map(({ labels }) => Number((labels["le"] ?? "none").replace("Inf", "Infinity")));
  if (bounds.some((bound, at) => !(bound > (bounds[at - 1] ?? -Infinity))))
    throw new Error(`Bounds do not rise: ${name}`);
  if (bounds.at(-1) !== Infinity) throw new Error(`No bucket for everything: ${name}`);
  if (buckets.some(({ value }, at) => value < (buckets[at - 1]?.value ?? 0))) throw new Error(`Buckets fall: ${name}`);
  const count = samples.find((sample) => sample.name.endsWith("_count"))?.value;
  if (count !== buckets.at(-1)?.value) throw new Error(`The count is not that of the last bucket: ${name}`);
  if (!samples.some((sample) => sample.name.endsWith("_sum"))) throw new Error(`No sum: ${name}`);
}
