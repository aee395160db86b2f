import { compilePattern, type Program, type Step } from "@/lib/servers/arguments/pattern-syntax";

/** A regular expression that takes time in proportion to the text, whatever the expression. */
export type LinearPattern = {
  readonly source: string;
  /** `spend` is told of the work as it is done, and may throw. */
  readonly test: (text: string, spend: (steps: number) => void) => boolean;
};

/**
 * All ways through a pattern are followed at once instead of one after the other: there is nothing to go back to, so no
 * text makes it slow. Null for patterns that cannot be matched in this manner.
 */
export function linearPattern(source: string): LinearPattern | null {
  const program = compilePattern(source);
  return program === null ? null : { source, test: (text, spend) => matches(program, text, spend) };
}

/** Work is told of after this much, so that telling costs little. */
const TELL_AFTER = 256;

/** Notes where to go on behind a step that takes no character. */
function follow(
  step: Step,
  index: number,
  edge: { readonly start: boolean; readonly end: boolean },
  to: number[],
): void {
  if (step.op === "split") to.push(step.to[1], step.to[0]);
  else if (step.op === "jump") to.push(step.to);
  else if ((step.op === "start" && edge.start) || (step.op === "end" && edge.end)) to.push(index + 1);
}

function matches({ steps, unicode }: Program, text: string, spend: (steps: number) => void): boolean {
  const seenAt = new Int32Array(steps.length).fill(-1);
  const stack: number[] = [];
  let [here, next]: [number[], number[]] = [[], []];
  let done = 0;

  /** Follows what takes no character, and keeps what does; true where the pattern is through. */
  function enter(from: number, at: number, into: number[]): boolean {
    const edge = { start: at === 0, end: at === text.length };
    stack.push(from);
    for (let index = stack.pop(); index !== undefined; index = stack.pop()) {
      const step = steps[index];
      if (step === undefined || seenAt[index] === at) continue;
      seenAt[index] = at;
      done += 1;
      if (step.op === "match") return true;
      if (step.op === "char") into.push(index);
      else follow(step, index, edge, stack);
    }
    return false;
  }

  /** Takes one character on all ways at once. */
  function advance(char: string, at: number): boolean {
    next.length = 0;
    done += here.length;
    for (const index of here) {
      const step = steps[index];
      if (step?.op === "char" && step.takes(char) && enter(index + 1, at, next)) return true;
    }
    [here, next] = [next, here];
    return false;
  }

  for (let at = 0; ; ) {
    // A match may begin anywhere.
    if (enter(0, at, here)) return true;
    if (done > TELL_AFTER || at >= text.length) spend(done);
    if (at >= text.length) return false;
    if (done > TELL_AFTER) done = 0;
    const char = unicode ? String.fromCodePoint(text.codePointAt(at) ?? 0) : text.charAt(at);
    at += char.length;
    if (advance(char, at)) return true;
  }
}
