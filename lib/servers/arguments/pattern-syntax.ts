/** One step of a pattern's program. Characters are the only steps that take something of the text. */
export type Step =
  | { readonly op: "char"; readonly takes: (char: string) => boolean }
  | { readonly op: "split"; readonly to: readonly [number, number] }
  | { readonly op: "jump"; readonly to: number }
  | { readonly op: "start" }
  | { readonly op: "end" }
  | { readonly op: "match" };

export type Program = { readonly steps: readonly Step[]; readonly unicode: boolean };

type Node =
  | { readonly kind: "char"; readonly source: string }
  | { readonly kind: "start" }
  | { readonly kind: "end" }
  | { readonly kind: "all" | "any"; readonly of: readonly Node[] }
  | { readonly kind: "repeat"; readonly of: Node; readonly min: number; readonly max: number };

const MAX_SOURCE = 1_000;
/** Means something else without the flag: a character beyond the first plane is two then, a property a row of letters. */
const NEEDS_UNICODE = /[\u{10000}-\u{10ffff}]|\\[pP]\{|\\u\{/u;
const MAX_STEPS = 5_000;
const MAX_TURNS = 20_000;
const MAX_DEPTH = 20;

/** What a pattern needs that cannot be matched in linear time, or that we do not read. */
class Unreadable extends Error {}

/** The program of a pattern; null for one with back references, look-around, or more steps than are worth it. */
export function compilePattern(source: string): Program | null {
  if (source.length > MAX_SOURCE) return null;
  const unicode = isPattern(source, "u");
  if (!unicode && (!isPattern(source, "") || NEEDS_UNICODE.test(source))) return null;
  try {
    const draft: Draft = { steps: [], unicode, turns: 0 };
    emit(draft, parse(source));
    push(draft, { op: "match" });
    return { steps: draft.steps, unicode };
  } catch (cause) {
    if (cause instanceof Unreadable) return null;
    throw cause;
  }
}

/** Parses only: nothing is matched with it. */
function isPattern(source: string, flags: string): boolean {
  try {
    new RegExp(source, flags);
    return true;
  } catch {
    return false;
  }
}

const ESCAPE =
  /^\\(?:x[0-9a-fA-F]{2}|u\{[0-9a-fA-F]+\}|u[0-9a-fA-F]{4}|c[a-zA-Z]|[pP]\{[^}]*\}|0(?!\d)|[^1-9bBkxucpP0])/u;
const CLASS = /^\[(?:[^\]\\]|\\.)*\]/su;
const QUANTIFIER = /^(?:[*+?]|\{(\d+)(?:(,)(\d*))?\})\??/;
const GROUP = /^\((?:\?:|\?<[\p{L}$_][\p{L}\p{N}$_]*>)?(?!\?)/u;
const LITERAL = /^[^\\()[\]{}|*+?^$]/u;
const SURROGATE = /^\\u[dD][89a-fA-F]/;

/** Reads a pattern that is known to be one, by descent. */
function parse(source: string): Node {
  let rest = source;
  let depth = 0;

  function take(form: RegExp): RegExpExecArray | null {
    const found = form.exec(rest);
    if (found !== null) rest = rest.slice(found[0].length);
    return found;
  }

  function alternatives(): Node {
    const of = [sequence()];
    while (take(/^\|/) !== null) of.push(sequence());
    return of.length === 1 && of[0] !== undefined ? of[0] : { kind: "any", of };
  }

  function sequence(): Node {
    const of: Node[] = [];
    while (rest !== "" && rest[0] !== "|" && rest[0] !== ")") of.push(repeated(atom()));
    return { kind: "all", of };
  }

  function atom(): Node {
    if (take(/^\^/) !== null) return { kind: "start" };
    if (take(/^\$/) !== null) return { kind: "end" };
    if (take(GROUP) !== null) return group();
    if (SURROGATE.test(rest)) throw new Unreadable();
    const char = take(LITERAL) ?? take(CLASS) ?? take(ESCAPE);
    if (char === null) throw new Unreadable();
    return { kind: "char", source: char[0] };
  }

  function group(): Node {
    depth += 1;
    if (depth > MAX_DEPTH) throw new Unreadable();
    const inner = alternatives();
    if (take(/^\)/) === null) throw new Unreadable();
    depth -= 1;
    return inner;
  }

  function repeated(of: Node): Node {
    const found = take(QUANTIFIER);
    if (found === null) return of;
    const [min, max] = boundsOf(found);
    return { kind: "repeat", of, min, max };
  }

  const whole = alternatives();
  if (rest !== "") throw new Unreadable();
  return whole;
}

function boundsOf([text, least, comma, most]: RegExpExecArray): readonly [number, number] {
  if (least === undefined) return text[0] === "*" ? [0, Infinity] : text[0] === "+" ? [1, Infinity] : [0, 1];
  if (comma === undefined) return [Number(least), Number(least)];
  return [Number(least), most === "" || most === undefined ? Infinity : Number(most)];
}

/** A program in the making. What takes nothing can be repeated without a step: then the turns are counted. */
type Draft = { readonly steps: Step[]; readonly unicode: boolean; turns: number };

function push({ steps }: Draft, step: Step): number {
  if (steps.length >= MAX_STEPS) throw new Unreadable();
  return steps.push(step) - 1;
}

function emit(draft: Draft, node: Node): void {
  draft.turns += 1;
  if (draft.turns > MAX_TURNS) throw new Unreadable();
  switch (node.kind) {
    case "char":
      push(draft, { op: "char", takes: takerOf(node.source, draft.unicode) });
      return;
    case "start":
    case "end":
      push(draft, { op: node.kind });
      return;
    case "all":
      for (const each of node.of) emit(draft, each);
      return;
    case "any":
      emitAny(draft, node.of);
      return;
    case "repeat":
      emitRepeat(draft, node);
  }
}

/** A place for a branch that is not known yet. */
const LATER: Step = { op: "match" };

/** Branches where a place was kept: on to the next step, or to wherever the program has come meanwhile. */
function branch({ steps }: Draft, at: number): void {
  steps[at] = { op: "split", to: [at + 1, steps.length] };
}

function emitAny(draft: Draft, of: readonly Node[]): void {
  const leaving: number[] = [];
  for (const [index, each] of of.entries()) {
    const isLast = index === of.length - 1;
    const fork = isLast ? null : push(draft, LATER);
    emit(draft, each);
    if (fork === null) continue;
    leaving.push(push(draft, LATER));
    branch(draft, fork);
  }
  for (const at of leaving) draft.steps[at] = { op: "jump", to: draft.steps.length };
}

function emitRepeat(draft: Draft, { of, min, max }: Extract<Node, { kind: "repeat" }>): void {
  for (let count = 0; count < min; count += 1) emit(draft, of);
  const forks: number[] = [];
  const optional = max === Infinity ? 1 : max - min;
  for (let count = 0; count < optional; count += 1) {
    forks.push(push(draft, LATER));
    emit(draft, of);
  }
  const [loop] = forks;
  if (max === Infinity && loop !== undefined) push(draft, { op: "jump", to: loop });
  for (const fork of forks) branch(draft, fork);
}

/** Whether one character is meant; the engine's own reading of it, asked once for each ASCII character. */
function takerOf(source: string, unicode: boolean): (char: string) => boolean {
  const form = new RegExp(`^${source}$`, unicode ? "u" : "");
  const known = new Int8Array(128);
  return (char) => {
    const code = char.length === 1 ? char.charCodeAt(0) : 128;
    if (code > 127) return form.test(char);
    if (known[code] === 0) known[code] = form.test(char) ? 1 : -1;
    return known[code] === 1;
  };
}
