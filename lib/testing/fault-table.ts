import type { ErrorCode } from "@/lib/core/errors";
import type { Fault } from "@/lib/testing/fault-proxy";

/** How far memory may grow meanwhile, and how much later others may be answered (P95). */
type Bounds = { readonly megabytes: number; readonly addedMs: number };

export const BOUNDS: Bounds = { megabytes: 64, addedMs: 20 };
/** Answers of 9 to 10 MB, five a second, have to be received, held and sent, and on two cores everybody shares that. */
const LARGE_BOUNDS: Bounds = { megabytes: 160, addedMs: 40 };

type Expected = {
  /** What a caller may be told. Two codes where it depends on the machine which bound is met first. */
  readonly codes: readonly (ErrorCode | "ok")[];
  /** Tool calls that may reach the server when a tool that says nothing of itself is called, and a read-only one. */
  readonly asked: { readonly do: number; readonly read: number };
  /** Keeps a processor busy, so it is tried alone. */
  readonly isHeavy?: true;
  /** What it may cost the process and everybody else where that is more than of other faults. */
  readonly bounds?: Bounds;
};

const once = { do: 1, read: 1 };
const twice = { do: 1, read: 2 };
const never = { do: 0, read: 0 };

const unreachable = ["upstream_unreachable"] as const;
const late = ["upstream_timeout"] as const;
const unusable = ["upstream_protocol"] as const;
const unusableOrLate = ["upstream_protocol", "upstream_timeout"] as const;

const large: Expected = { codes: ["ok", ...late], asked: once, isHeavy: true, bounds: LARGE_BOUNDS };

/** Every way a server is made to fail, and what its caller is told. */
export const FAULTS: Readonly<Record<Fault, Expected>> = {
  refuse: { codes: unreachable, asked: never },
  reset: { codes: unreachable, asked: twice },
  blackhole: { codes: late, asked: never },
  "tls-untrusted": { codes: unreachable, asked: never },
  "tls-plain": { codes: unreachable, asked: never },
  "status-500": { codes: ["upstream_error"], asked: twice },
  "status-429": { codes: ["upstream_error"], asked: twice },
  hang: { codes: late, asked: once },
  drip: { codes: late, asked: once },
  "drip-headers": { codes: late, asked: once },
  "headers-then-silence": { codes: late, asked: once },
  garbage: { codes: unusable, asked: once },
  "garbage-body": { codes: unusable, asked: once },
  "wrong-id": { codes: unusable, asked: once },
  "truncated-json": { codes: unusable, asked: once },
  "hundred-megabytes": { codes: unusableOrLate, asked: once, isHeavy: true },
  "hundred-megabytes-announced": { codes: unusable, asked: once },
  "gzip-bomb": { codes: unusable, asked: once },
  crumbs: { codes: unusableOrLate, asked: once, isHeavy: true },
  "endless-headers": { codes: unusable, asked: once },
  "endless-hints": { codes: unusableOrLate, asked: once, isHeavy: true },
  "endless-stream": { codes: unusableOrLate, asked: once, isHeavy: true },
  "endless-events": { codes: unusableOrLate, asked: once, isHeavy: true },
  "endless-line": { codes: unusableOrLate, asked: once, isHeavy: true },
  "cut-mid-stream": { codes: unusable, asked: once },
  "cut-mid-json": { codes: unusable, asked: once },
  "slow-200": { codes: ["ok"], asked: once },
  "late-200": { codes: late, asked: once },
  // Nothing is wrong with these but their size, which is nobody else's matter.
  "large-text": large,
  "large-escapes": large,
  "large-items": large,
  "large-event": large,
  "three-million-values": large,
};

export const ALL_FAULTS = Object.keys(FAULTS) as Fault[];
