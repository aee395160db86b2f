import {
  type Attributes,
  type Context,
  createTraceState,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import type { TraceContext } from "@/lib/core/trace-context";
import type { Arrival } from "@/lib/telemetry/arrival";
import { tracing } from "@/lib/telemetry/tracer";

/** What a trace shows of the road, in its order; the server's part stands between the last two. */
export type Stage = "authenticate" | "authorize" | "limits" | "circuit" | "intent" | "outcome";

/** One call in a trace. Holds ids and our own words only: no name, argument or result leaves with it. */
export type CallTrace = {
  /** What the call's entries carry: our span, or the caller's where we make none. */
  readonly context: TraceContext;
  /** Adds to what is said of the call. */
  readonly say: (attributes: Attributes) => void;
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
  const { tracer } = tracing;
  if (tracer !== null) return openRecorded(tracer, method, arrival);
  const caller = arrival?.caller ?? null;
  return caller === null ? null : passedOn(caller);
}

const nothing = (): void => undefined;

/** No spans of ours: the caller's trace goes on to the server as it came. */
const passedOn = (context: TraceContext): CallTrace => ({
  context,
  say: nothing,
  name: nothing,
  enter: nothing,
  toServer: () => context,
  fail: nothing,
  end: nothing,
});

function openRecorded(tracer: Tracer, method: string, arrival: Arrival | undefined): CallTrace {
  const { at = performance.now(), caller = null, besides = null } = arrival ?? {};
  // One clock for all spans of the call: it runs evenly, and is set right with every call.
  const toEpoch = Date.now() - performance.now();
  const options = {
    kind: SpanKind.SERVER,
    startTime: toEpoch + at,
    attributes: { "mcp.method.name": method },
    links: besides === null ? [] : [{ context: spanContextOf(besides) }],
  };
  const span = tracer.startSpan(method, options, caller === null ? ROOT_CONTEXT : within(spanContextOf(caller)));
  return span.isRecording()
    ? new RecordedTrace(tracer, span, method, toEpoch, arrival)
    : passedOn(contextOf(span, caller?.state ?? null));
}

class RecordedTrace implements CallTrace {
  readonly context: TraceContext;
  readonly #tracer: Tracer;
  readonly #span: Span;
  readonly #within: Context;
  readonly #method: string;
  readonly #toEpoch: number;
  #said: Attributes;
  #name: string;
  #stage: Span;
  /** When the first stage ended, where that was before the call began. */
  #endedAt: number;

  constructor(tracer: Tracer, span: Span, method: string, toEpoch: number, arrival: Arrival | undefined) {
    this.context = contextOf(span, arrival?.caller?.state ?? null);
    this.#tracer = tracer;
    this.#span = span;
    this.#within = trace.setSpan(ROOT_CONTEXT, span);
    this.#method = method;
    this.#name = method;
    this.#said = { "mcp.method.name": method };
    this.#toEpoch = toEpoch;
    this.#endedAt = arrival?.authenticatedAt ?? 0;
    this.#stage = this.#begin("authenticate", SpanKind.INTERNAL, arrival?.at ?? performance.now());
  }

  #begin(name: string, kind: SpanKind, at: number, attributes: Attributes = {}): Span {
    return this.#tracer.startSpan(name, { kind, startTime: this.#toEpoch + at, attributes }, this.#within);
  }

  #endStage(now: number): void {
    this.#stage.end(this.#toEpoch + (this.#endedAt === 0 ? now : this.#endedAt));
    this.#endedAt = 0;
  }

  say(attributes: Attributes): void {
    this.#span.setAttributes(attributes);
  }

  name(server: string, tool: string | null): void {
    this.#said = {
      ...this.#said,
      "countersign.server": server,
      ...(tool === null ? {} : { "gen_ai.tool.name": tool, "gen_ai.operation.name": "execute_tool" }),
    };
    this.#name = tool === null ? this.#method : `${this.#method} ${tool}`;
    this.#span.updateName(this.#name);
    this.#span.setAttributes(this.#said);
  }

  enter(stage: Stage): void {
    const now = performance.now();
    this.#endStage(now);
    this.#stage = this.#begin(stage, SpanKind.INTERNAL, now);
  }

  toServer(): TraceContext {
    const now = performance.now();
    this.#endStage(now);
    this.#stage = this.#begin(this.#name, SpanKind.CLIENT, now, this.#said);
    return contextOf(this.#stage, this.context.state);
  }

  fail(code: string): void {
    markFailed(this.#stage, code);
  }

  end(entry: string | null, fault: string | null): void {
    const now = performance.now();
    this.#endStage(now);
    if (entry !== null) this.#span.setAttribute("countersign.entry", entry);
    if (fault !== null) markFailed(this.#span, fault);
    this.#span.end(this.#toEpoch + now);
  }
}

function markFailed(span: Span, code: string): void {
  span.setAttribute("error.type", code);
  span.setStatus({ code: SpanStatusCode.ERROR });
}

const within = (context: ReturnType<typeof spanContextOf>): Context => trace.setSpanContext(ROOT_CONTEXT, context);

const spanContextOf = ({ traceId, spanId, flags, state }: TraceContext) => ({
  traceId,
  spanId,
  traceFlags: flags,
  isRemote: true,
  ...(state === null ? {} : { traceState: createTraceState(state) }),
});

/** The vendors' part goes on as it came. */
function contextOf(span: Span, state: string | null): TraceContext {
  const { traceId, spanId, traceFlags: flags } = span.spanContext();
  return { traceId, spanId, flags, state };
}
