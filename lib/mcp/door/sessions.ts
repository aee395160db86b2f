import type { Identity } from "@/lib/gateway/identity";
import { giveSession, lettersOf } from "@/lib/mcp/door/session-ids";
import { isRecord, type Json } from "@/lib/mcp/upstream/protocol";

/** What a client can do, in the letters that its session id carries. */
const LETTERS: readonly (readonly [string, string, string | null])[] = [
  ["s", "sampling", null],
  ["t", "sampling", "tools"],
  ["e", "elicitation", null],
  ["f", "elicitation", "form"],
  ["u", "elicitation", "url"],
  ["r", "roots", null],
];

export const NO_CAPABILITIES: Json = {};
const known = new Map<string, Json>();

/** What of a client's capabilities servers may make use of. Everything else is left out. */
export function usableCapabilities(declared: unknown): Json {
  return capabilitiesOf(lettersFor(declared));
}

function isEmpty(declared: Json): boolean {
  for (const _ in declared) return false;
  return true;
}

function lettersFor(declared: unknown): string {
  if (!isRecord(declared) || isEmpty(declared)) return "";
  const has = ([, name, part]: (typeof LETTERS)[number]) => {
    const capability = declared[name];
    return isRecord(capability) && (part === null || capability[part] !== undefined);
  };
  return LETTERS.filter(has)
    .map(([letter]) => letter)
    .join("");
}

/** One object for each set of abilities: there are few, and connections are chosen by them. */
function capabilitiesOf(letters: string): Json {
  if (letters === "") return NO_CAPABILITIES;
  const found = known.get(letters);
  if (found !== undefined) return found;
  const made: Record<string, Record<string, unknown>> = {};
  for (const [letter, name, part] of LETTERS) {
    if (!letters.includes(letter)) continue;
    made[name] = { ...made[name], ...(part === null ? {} : { [part]: {} }) };
  }
  // Where no seal was checked the letters may be any: only the combinations that can be are kept.
  if (known.size < 64) known.set(letters, made);
  return made;
}

/** A new id for a client that says what it can do, and with whom this revision was agreed on. */
export const newSession = (identity: Identity, declared: unknown, version: string): string =>
  giveSession(identity, lettersFor(declared), version);

/** What the client behind a session id can do. */
export function sessionCapabilities(session: string | null): Json {
  return session === null ? NO_CAPABILITIES : capabilitiesOf(lettersOf(session));
}

const LEVELS = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"] as const;

export const isLogLevel = (level: unknown): level is string => (LEVELS as readonly unknown[]).includes(level);

/** True where a message of `level` is worth telling to who wants to hear from `wanted` on. */
export const isLoudEnough = (level: unknown, wanted: string): boolean =>
  (LEVELS as readonly unknown[]).indexOf(level) >= (LEVELS as readonly string[]).indexOf(wanted);
