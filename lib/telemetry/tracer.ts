import type { Tracer } from "@opentelemetry/api";
import { singleton } from "@/lib/core/singleton";

/** What makes the spans of this process; null while traces are switched off. */
export const tracing = singleton("telemetry.tracing", () => ({ tracer: null as Tracer | null }));
