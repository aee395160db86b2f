import type { TraceContext } from "@/lib/core/trace-context";
import type { Arrival } from "@/lib/telemetry/arrival";
import { tracing } from "@/lib/telemetry/tracing";

/** What a trace shows of the road, in its order; the server's part stands between the last two. */
export type Stage = "authenticate" | "authorize" | "limits" | "arguments" | "circuit" | "intent" | "outcome";

/** One call in a trace. Beside ids, servers and tools it names nothing: no person, argument or result leaves with it. */
export type CallTrace = {
  /** What the call's entries carry: our span, or the caller's where we make none. */
  readonly context: TraceContext;
  /** Adds to what is said of the call. */
  readonly say: (attributes: Readonly<Record<string, string>>) => void;
  /** Names the tool, once it is known that the caller may know it. */
  readonly name: (server: string, tool: string | null) => void;
  /** Ends the stage before, and begins this one. */
  readonly enter: (stage: Stage) => void;
  /** Begins a request to the server. Returns what the server is told. */
  readonly toServer: () => TraceContext;
  /** The stage, or the request, ended badly. */
  readonly fail: (code: string) => void;
  /** `fault`: a stable code; null where the call succeeded. */
  readonly end: (entry: string | null, fault: string | null) => void;
};

/** The trace of a call that begins; null where nobody traces it, neither its caller nor we. */
export function openCallTrace(method: string, arrival: Arrival | undefined): CallTrace | null {
  const { open } = tracing;
  if (open !== null) return open(method, arrival);
  const caller = arrival?.caller ?? null;
  return caller === null ? null : passedOn(caller);
}

const nothing = (): void => undefined;

/** No spans: the trace goes on to the server as it is. */
export const passedOn = (context: TraceContext): CallTrace => ({
  context,
  say: nothing,
  name: nothing,
  enter: nothing,
  toServer: () => context,
  fail: nothing,
  end: nothing,
});
