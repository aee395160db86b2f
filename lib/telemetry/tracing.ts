import { singleton } from "@/lib/core/singleton";
import type { TraceContext } from "@/lib/core/trace-context";

/** When a request came in, and the trace that it says it belongs to. Times are those of `performance.now()`. */
export type Arrival = {
  readonly at: number;
  /** When it was known who asks; 0 until then. */
  authenticatedAt: number;
  readonly caller: TraceContext | null;
  /** What the connection said where the message itself said something else. */
  readonly besides: TraceContext | null;
};

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

type OpenTrace = (method: string, arrival: Arrival | undefined) => CallTrace;

/** What makes the spans of this process; null while traces are switched off, and then nothing of it is even loaded. */
export const tracing = singleton("telemetry.tracing", () => ({ open: null as OpenTrace | null }));
