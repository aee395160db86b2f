import { parseTrace, type TraceContext } from "@/lib/core/trace-context";
import { type Arrival, tracing } from "@/lib/telemetry/tracing";

type Header = (name: string) => string | null;

/** The arrival of a request; undefined where nobody traces it, neither its caller nor we. */
export function arrivalOf(header: Header): Arrival | undefined {
  const parent = header("traceparent");
  if (parent === null && tracing.open === null) return undefined;
  return arrived(parseTrace(parent, header("tracestate")), null, undefined);
}

/** A message speaks for itself where it can: whatever carries it may be a relay with a trace of its own. */
export function arrivalOfMessage(
  arrival: Arrival | undefined,
  meta: Readonly<Record<string, unknown>>,
): Arrival | undefined {
  const parent = meta["traceparent"];
  const caller = parent === undefined ? null : parseTrace(parent, meta["tracestate"]);
  return caller === null ? arrival : arrived(caller, arrival?.caller ?? null, arrival);
}

function arrived(
  caller: TraceContext | null,
  besides: TraceContext | null,
  earlier: Arrival | undefined,
): Arrival | undefined {
  // A header that is none is as good as no header.
  if (caller === null && tracing.open === null) return undefined;
  const { at = performance.now(), authenticatedAt = 0 } = earlier ?? {};
  return { at, authenticatedAt, caller, besides };
}
