import { singleton } from "@/lib/core/singleton";
import type { Arrival } from "@/lib/telemetry/arrival";
import type { CallTrace } from "@/lib/telemetry/call-trace";

type OpenTrace = (method: string, arrival: Arrival | undefined) => CallTrace;

/** What makes the spans of this process; null while traces are switched off, and then nothing of it is even loaded. */
export const tracing = singleton("telemetry.tracing", () => ({ open: null as OpenTrace | null }));
