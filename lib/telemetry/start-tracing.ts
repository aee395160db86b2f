import "server-only";
import type { Sampler } from "@opentelemetry/sdk-trace";
import { singleton } from "@/lib/core/singleton";
import { env } from "@/lib/env";
import { boundedSpans, MAX_WAITING_SPANS } from "@/lib/telemetry/bounded-spans";
import { lastWords } from "@/lib/telemetry/last-words";
import { openRecorded } from "@/lib/telemetry/recorded-trace";
import { receiverOf, telemetryResource } from "@/lib/telemetry/resource";
import { tracing } from "@/lib/telemetry/tracing";

const running = singleton("telemetry.running", () => ({ stop: null as (() => Promise<void>) | null }));

type Sdk = typeof import("@opentelemetry/sdk-trace");

/** Begins to trace calls where a receiver is named. What makes the spans is loaded only then. */
export async function startTracing(): Promise<void> {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_TRACES_EXPORTER, OTEL_BSP_SCHEDULE_DELAY } = env();
  if (endpoint === undefined || OTEL_TRACES_EXPORTER === "none" || running.stop !== null) return;
  const [api, sdk, { OTLPTraceExporter }] = await Promise.all([
    import("@opentelemetry/api"),
    import("@opentelemetry/sdk-trace"),
    import("@opentelemetry/exporter-trace-otlp-http"),
  ]);
  const exporter = new OTLPTraceExporter({ url: receiverOf(endpoint, "traces") });
  const batching = { maxQueueSize: MAX_WAITING_SPANS, scheduledDelayMillis: OTEL_BSP_SCHEDULE_DELAY };
  const provider = new sdk.TracerProvider({
    resource: await telemetryResource(),
    sampler: samplerOf(sdk),
    spanProcessors: [boundedSpans(exporter, (to) => new sdk.BatchSpanProcessor({ exporter: to, ...batching }))],
  });
  tracing.open = openRecorded({ api, tracer: provider.getTracer("countersign") });
  running.stop = () => provider.shutdown();
}

function samplerOf(sdk: Sdk): Sampler {
  const { OTEL_TRACES_SAMPLER: name, OTEL_TRACES_SAMPLER_ARG: ratio } = env();
  const root = name.endsWith("always_off")
    ? new sdk.AlwaysOffSampler()
    : name.endsWith("traceidratio")
      ? new sdk.TraceIdRatioBasedSampler(ratio)
      : new sdk.AlwaysOnSampler();
  return name.startsWith("parentbased_") ? new sdk.ParentBasedSampler({ root }) : root;
}

/** Ends tracing; what waits is sent first, where the receiver takes it. */
export async function stopTracing(): Promise<void> {
  const { stop } = running;
  running.stop = null;
  tracing.open = null;
  // What could not be sent was counted.
  if (stop !== null) await lastWords(stop);
}
