import type { TraceContext } from "@/lib/core/trace-context";
import { type Arrival, type CallTrace, tracing } from "@/lib/telemetry/tracing";

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
