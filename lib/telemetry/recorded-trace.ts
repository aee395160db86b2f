import type { Attributes, Context, Span, SpanKind, Tracer } from "@opentelemetry/api";
import type { TraceContext } from "@/lib/core/trace-context";
import { passedOn } from "@/lib/telemetry/call-trace";
import type { Arrival, CallTrace, Stage } from "@/lib/telemetry/tracing";

/** Given, not imported: a process that traces nothing does not load it. */
type Api = typeof import("@opentelemetry/api");
type Making = { readonly api: Api; readonly tracer: Tracer };

/** Makes the spans of calls: one for each, and one for each stage of its road. */
export const openRecorded = (making: Making) => (method: string, arrival: Arrival | undefined) => {
  const { api, tracer } = making;
  const { at = performance.now(), caller = null, besides = null } = arrival ?? {};
  // One clock for all spans of the call: it runs evenly, and is set right with every call.
  const toEpoch = Date.now() - performance.now();
  const options = {
    kind: api.SpanKind.SERVER,
    startTime: toEpoch + at,
    attributes: { "mcp.method.name": method },
    links: besides === null ? [] : [{ context: spanContextOf(api, besides) }],
  };
  const root = api.ROOT_CONTEXT;
  const parent = caller === null ? root : api.trace.setSpanContext(root, spanContextOf(api, caller));
  const span = tracer.startSpan(method, options, parent);
  return span.isRecording()
    ? new RecordedTrace(making, span, method, toEpoch, arrival)
    : passedOn(contextOf(span, caller?.state ?? null));
};

class RecordedTrace implements CallTrace {
  readonly context: TraceContext;
  readonly #making: Making;
  readonly #span: Span;
  readonly #within: Context;
  readonly #method: string;
  readonly #toEpoch: number;
  #said: Attributes;
  #name: string;
  #stage: Span;
  /** When the first stage ended, where that was before the call began. */
  #endedAt: number;

  constructor(making: Making, span: Span, method: string, toEpoch: number, arrival: Arrival | undefined) {
    const { api } = making;
    this.context = contextOf(span, arrival?.caller?.state ?? null);
    this.#making = making;
    this.#span = span;
    this.#within = api.trace.setSpan(api.ROOT_CONTEXT, span);
    this.#method = method;
    this.#name = method;
    this.#said = { "mcp.method.name": method };
    this.#toEpoch = toEpoch;
    this.#endedAt = arrival?.authenticatedAt ?? 0;
    this.#stage = this.#begin("authenticate", api.SpanKind.INTERNAL, arrival?.at ?? performance.now());
  }

  #begin(name: string, kind: SpanKind, at: number, attributes: Attributes = {}): Span {
    return this.#making.tracer.startSpan(name, { kind, startTime: this.#toEpoch + at, attributes }, this.#within);
  }

  #endStage(now: number): void {
    this.#stage.end(this.#toEpoch + (this.#endedAt === 0 ? now : this.#endedAt));
    this.#endedAt = 0;
  }

  #markFailed(span: Span, code: string): void {
    span.setAttribute("error.type", code);
    span.setStatus({ code: this.#making.api.SpanStatusCode.ERROR });
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
    this.#stage = this.#begin(stage, this.#making.api.SpanKind.INTERNAL, now);
  }

  toServer(): TraceContext {
    const now = performance.now();
    this.#endStage(now);
    this.#stage = this.#begin(this.#name, this.#making.api.SpanKind.CLIENT, now, this.#said);
    return contextOf(this.#stage, this.context.state);
  }

  fail(code: string): void {
    this.#markFailed(this.#stage, code);
  }

  end(entry: string | null, fault: string | null): void {
    const now = performance.now();
    this.#endStage(now);
    if (entry !== null) this.#span.setAttribute("countersign.entry", entry);
    if (fault !== null) this.#markFailed(this.#span, fault);
    this.#span.end(this.#toEpoch + now);
  }
}

const spanContextOf = (api: Api, { traceId, spanId, flags, state }: TraceContext) => ({
  traceId,
  spanId,
  traceFlags: flags,
  isRemote: true,
  ...(state === null ? {} : { traceState: api.createTraceState(state) }),
});

/** The vendors' part goes on as it came. */
function contextOf(span: Span, state: string | null): TraceContext {
  const { traceId, spanId, traceFlags: flags } = span.spanContext();
  return { traceId, spanId, flags, state };
}
