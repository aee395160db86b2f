import { randomUUID } from "node:crypto";
import { LRUCache } from "lru-cache";
import { singleton } from "@/lib/core/singleton";
import { isRecord, type Json } from "@/lib/mcp/upstream/protocol";

/**
 * Sessions are not kept: the id itself says what the client can do, so that any process can serve its next message.
 * It proves nothing, and need not: a client that changes it only misjudges itself.
 */
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

function lettersFor(declared: unknown): string {
  if (!isRecord(declared)) return "";
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
  // A session id may say anything: only the combinations that can be are kept.
  if (known.size < 64) known.set(letters, made);
  return made;
}

/** A new id for a client that says what it can do. */
export function newSession(declared: unknown): string {
  const letters = lettersFor(declared);
  return letters === "" ? randomUUID() : `${randomUUID()}.${letters}`;
}

/** What the client behind a session id can do. */
export function sessionCapabilities(session: string | null): Json {
  const suffix = session === null ? undefined : /^[0-9a-f-]{36}\.([a-z]{1,6})$/.exec(session)?.[1];
  if (suffix === undefined) return NO_CAPABILITIES;
  return capabilitiesOf(
    LETTERS.map(([letter]) => letter)
      .filter((letter) => suffix.includes(letter))
      .join(""),
  );
}

const LEVELS = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"] as const;

export const isLogLevel = (level: unknown): level is string => (LEVELS as readonly unknown[]).includes(level);

/** True where a message of `level` is worth telling to who wants to hear from `wanted` on. */
export const isLoudEnough = (level: unknown, wanted: string): boolean =>
  (LEVELS as readonly unknown[]).indexOf(level) >= (LEVELS as readonly string[]).indexOf(wanted);

/** Levels that clients of the sessions era have set, as far as this process has heard of them. */
const levels = () => singleton("mcp.log-levels", () => new LRUCache<string, string>({ max: 10_000 }));
const levelKey = (owner: string, session: string): string => JSON.stringify([owner, session]);

export const setLogLevel = (owner: string, session: string, level: string): void =>
  void levels().set(levelKey(owner, session), level);

export const logLevelOf = (owner: string, session: string | null): string | undefined =>
  session === null || levels().size === 0 ? undefined : levels().get(levelKey(owner, session));
