/** A place in a trace, as W3C Trace Context writes it. https://www.w3.org/TR/trace-context/ */
export type TraceContext = {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  readonly flags: number;
  /** What vendors added, passed on as it came. */
  readonly state: string | null;
};

const PARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const NO_TRACE = "0".repeat(32);
const NO_SPAN = "0".repeat(16);
/** Those that are defined: sampled, and that the id is random. */
const KNOWN_FLAGS = 0x03;

const KEY = "[a-z][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13}";
const MEMBER = new RegExp(`^(?:${KEY})=[\\x20-\\x2b\\x2d-\\x3c\\x3e-\\x7e]{0,255}[\\x21-\\x2b\\x2d-\\x3c\\x3e-\\x7e]$`);
/** What may stand in a header at all. Looked at first: `trim` would also take line breaks for space. */
const PRINTABLE = /^[\t\x20-\x7e]*$/;
const MAX_STATE = 512;
const MAX_MEMBERS = 32;

/** Reads `traceparent` and `tracestate`; null for anything that is none, which then begins a trace of its own. */
export function parseTrace(parent: unknown, state: unknown): TraceContext | null {
  if (typeof parent !== "string") return null;
  const [, version, traceId = NO_TRACE, spanId = NO_SPAN, flags = "00", more] = PARENT.exec(parent) ?? [];
  if (version === undefined || version === "ff" || traceId === NO_TRACE || spanId === NO_SPAN) return null;
  // A later version may say more; the first says exactly this.
  if (version === "00" && more !== undefined) return null;
  return { traceId, spanId, flags: Number.parseInt(flags, 16) & KNOWN_FLAGS, state: stateIn(state) };
}

/** Without the vendors' part where it cannot be read; the trace goes on without it. */
function stateIn(state: unknown): string | null {
  if (typeof state !== "string" || state === "" || state.length > MAX_STATE || !PRINTABLE.test(state)) return null;
  const members = state.split(",").map((member) => member.trim());
  return members.length <= MAX_MEMBERS && members.every((member) => member === "" || MEMBER.test(member))
    ? state
    : null;
}

/** What the next one in line is told, as headers or as members of `_meta`. */
export function traceMembers({ traceId, spanId, flags, state }: TraceContext): Readonly<Record<string, string>> {
  const traceparent = `00-${traceId}-${spanId}-${flags.toString(16).padStart(2, "0")}`;
  return state === null ? { traceparent } : { traceparent, tracestate: state };
}
