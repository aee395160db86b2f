import { visibleText } from "@/lib/servers/hidden-text";
import { DEFINITION_FIELDS, type DefinitionField, type DiffLine, type FieldDiff } from "@/lib/servers/schemas";

/** What an agent's model reads of a tool; the parts that are compared when a server changes it. */
export type PinnedDefinition = Readonly<Record<DefinitionField, unknown>>;

/** Above this many lines on both sides, the middle is shown as taken out and put in, because pairing costs their product. */
const MAX_PAIRED_LINES = 1_500;

/** A value as lines that a person can compare: text as it is, all else as JSON with its keys in order. Hidden characters are spelt out. */
export function toLines(value: unknown): readonly string[] {
  if (value === null || value === undefined || value === "") return [];
  const text = typeof value === "string" ? value : JSON.stringify(inOrder(value), null, 2);
  return text.split(/\r\n|\n|\r/).map(visibleText);
}

function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return Object.fromEntries(entries.map(([key, inner]) => [key, inOrder(inner)]));
}

/** The lines of both, in order: kept, taken out, put in. */
export function diffLines(before: readonly string[], after: readonly string[]): readonly DiffLine[] {
  let head = 0;
  while (head < before.length && head < after.length && before[head] === after[head]) head += 1;
  let tail = 0;
  const room = Math.min(before.length, after.length) - head;
  while (tail < room && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail += 1;
  const [from, to] = [before.slice(head, before.length - tail), after.slice(head, after.length - tail)];
  return [
    ...marked("same", before.slice(0, head)),
    ...(Math.max(from.length, to.length) > MAX_PAIRED_LINES
      ? [...marked("removed", from), ...marked("added", to)]
      : paired(from, to)),
    ...marked("same", before.slice(before.length - tail)),
  ];
}

const marked = (kind: DiffLine["kind"], lines: readonly string[]): readonly DiffLine[] =>
  lines.map((text) => ({ kind, text }));

/** At (i, j): how many lines `from` after i and `to` after j have in common, in order. */
function commonRuns(from: readonly string[], to: readonly string[]): (i: number, j: number) => number {
  const width = to.length + 1;
  const common = new Uint16Array((from.length + 1) * width);
  const at = (i: number, j: number): number => common[i * width + j] ?? 0;
  for (let i = from.length - 1; i >= 0; i -= 1) {
    for (let j = to.length - 1; j >= 0; j -= 1) {
      common[i * width + j] = from[i] === to[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  return at;
}

/** The longest common run of lines decides what was kept. */
function paired(from: readonly string[], to: readonly string[]): readonly DiffLine[] {
  const common = commonRuns(from, to);
  const lines: DiffLine[] = [];
  let [i, j] = [0, 0];
  while (i < from.length && j < to.length) {
    const [old, fresh] = [from[i] ?? "", to[j] ?? ""];
    if (old === fresh) lines.push({ kind: "same", text: old });
    else if (common(i + 1, j) >= common(i, j + 1)) lines.push({ kind: "removed", text: old });
    else lines.push({ kind: "added", text: fresh });
    const { kind } = lines.at(-1) ?? { kind: "same" };
    if (kind !== "added") i += 1;
    if (kind !== "removed") j += 1;
  }
  return [...lines, ...marked("removed", from.slice(i)), ...marked("added", to.slice(j))];
}

/** What differs, field by field; fields that say the same are left out. `before` null: everything is new. */
export function diffDefinitions(before: PinnedDefinition | null, after: PinnedDefinition): readonly FieldDiff[] {
  return DEFINITION_FIELDS.flatMap((field) => {
    const lines = diffLines(toLines(before?.[field]), toLines(after[field]));
    return lines.some(({ kind }) => kind !== "same") ? [{ field, lines }] : [];
  });
}
