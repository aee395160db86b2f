import { LRUCache } from "lru-cache";
import type { FieldIssue } from "@/lib/core/errors";
import { singleton } from "@/lib/core/singleton";
import { makeWorkShare, type WorkShare } from "@/lib/resilience/work-share";
import { toFaults } from "@/lib/servers/arguments/argument-faults";
import { type BoundedSchema, boundSchema, Unusable } from "@/lib/servers/arguments/bounded-schema";
import { compileSchema, type Look, TooCostly } from "@/lib/servers/arguments/compile-schema";
import type { RegisteredTool } from "@/lib/servers/registered-server";

/** What a look at arguments found. `unchecked` says, in words, why nobody can tell. */
export type ArgumentVerdict =
  | { readonly kind: "fit" }
  | { readonly kind: "unfit"; readonly faults: readonly FieldIssue[] }
  | { readonly kind: "unchecked"; readonly why: string };

type Check = (args: unknown) => ArgumentVerdict;

/** Some milliseconds at most, whatever the schema and the arguments. */
const MAX_STEPS = 200_000;
/** For naming faults, of which each part of a long value may have some. */
const MAX_STEPS_FOR_WORDS = 5_000;
/** About 30 MB of compiled checks. */
const MAX_PARTS_KEPT = 20_000;

const FIT: ArgumentVerdict = { kind: "fit" };
const TOO_MANY_NEW = unchecked("Too many definitions were new at the same time.");

type Checks = {
  /** By the definition's digest: what says the same is compiled once, for whatever tenant or server. */
  readonly byDigest: LRUCache<string, Kept>;
  readonly compiling: WorkShare;
};
type Kept = { readonly check: Check; readonly parts: number };

const checks = (): Checks =>
  singleton("servers.argument-checks", () => ({
    byDigest: new LRUCache<string, Kept>({ maxSize: MAX_PARTS_KEPT, sizeCalculation: ({ parts }) => parts }),
    compiling: makeWorkShare({ now: () => performance.now() }),
  }));

/** Looks whether arguments are what a tool that may be called asks for: its digest is that of the definition in force. */
export function checkArguments({ definition, sha256 }: RegisteredTool, args: unknown): ArgumentVerdict {
  const { byDigest, compiling } = checks();
  const found = byDigest.get(sha256);
  if (found !== undefined) return found.check(args);
  // Definitions that change with every call must not keep the process busy.
  const made = compiling.run(() => makeCheck(definition.inputSchema));
  if (made === null) return TOO_MANY_NEW;
  byDigest.set(sha256, made);
  return made.check(args);
}

/** What of a tool's schema cannot be checked here, in words that follow "its input schema"; null where all can. */
export function uncheckedPart(inputSchema: unknown): string | null {
  try {
    return boundSchema(inputSchema).skipped;
  } catch (cause) {
    if (cause instanceof Unusable) return cause.message;
    throw cause;
  }
}

function unchecked(why: string): ArgumentVerdict {
  return { kind: "unchecked", why };
}

function makeCheck(inputSchema: object): Kept {
  try {
    const bounded = boundSchema(inputSchema);
    return { check: looking(bounded, compileSchema(bounded, false)), parts: bounded.parts + 1 };
  } catch (cause) {
    if (!(cause instanceof Unusable)) throw cause;
    const verdict = unchecked(`Its input schema ${cause.message}.`);
    return { check: () => verdict, parts: 1 };
  }
}

function looking(bounded: BoundedSchema, look: Look): Check {
  let inWords: Look | null = null;
  return (args) => {
    try {
      const first = look(args, MAX_STEPS);
      if (first === null) return FIT;
      inWords ??= compileSchema(bounded, true);
      const all = lookInWords(inWords, args) ?? first;
      return { kind: "unfit", faults: toFaults(all, args, bounded.names) };
    } catch (cause) {
      if (!(cause instanceof TooCostly)) throw cause;
      return unchecked("Checking them would have taken too long.");
    }
  };
}

/** Null where there are more faults than are worth naming: the first one has to do then. */
function lookInWords(look: Look, args: unknown): ReturnType<Look> {
  try {
    return look(args, MAX_STEPS_FOR_WORDS);
  } catch (cause) {
    if (cause instanceof TooCostly) return null;
    throw cause;
  }
}
