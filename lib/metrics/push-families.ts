import "server-only";
import type { HrTime } from "@opentelemetry/api";
import { toAppError } from "@/lib/core/errors";
import { singleton } from "@/lib/core/singleton";
import { env } from "@/lib/env";
import { toMetricData } from "@/lib/metrics/otlp-families";
import { processFamilies } from "@/lib/metrics/process-families";
import { lastWords } from "@/lib/telemetry/last-words";
import { receiverLog } from "@/lib/telemetry/receiver-log";
import { receiverOf, telemetryResource } from "@/lib/telemetry/resource";

const running = singleton("metrics.push", () => ({ stop: null as (() => Promise<void>) | null }));

/** Sends what /api/metrics tells to a receiver of OpenTelemetry, where one is named and metrics are asked for. */
export async function startPush(): Promise<void> {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_METRICS_EXPORTER, OTEL_METRIC_EXPORT_INTERVAL } = env();
  if (endpoint === undefined || OTEL_METRICS_EXPORTER === "none" || running.stop !== null) return;
  const push = await makePush(receiverOf(endpoint, "metrics"));
  let pushing: Promise<void> | null = null;
  const once = (): Promise<void> => {
    pushing ??= push().finally(() => {
      pushing = null;
    });
    return pushing;
  };
  const timer = setInterval(() => void once(), OTEL_METRIC_EXPORT_INTERVAL).unref();
  running.stop = async () => {
    clearInterval(timer);
    await pushing;
    await once();
  };
}

/** One push; never rejects. What a receiver misses is in the next one, as counts only go up. */
async function makePush(url: string): Promise<() => Promise<void>> {
  const [sdk, { OTLPMetricExporter }, resource] = await Promise.all([
    import("@opentelemetry/sdk-metrics"),
    import("@opentelemetry/exporter-metrics-otlp-http"),
    telemetryResource(),
  ]);
  const exporter = new OTLPMetricExporter({ url });
  const tell = receiverLog("metrics");
  const startTime = hrTime(performance.timeOrigin);
  return async () => {
    try {
      const span = { startTime, endTime: hrTime(Date.now()) };
      const metrics = (await processFamilies("push")).map((family) => toMetricData(sdk, family, span));
      const scopeMetrics = [{ scope: { name: "countersign" }, metrics }];
      tell(
        await new Promise((resolve) =>
          exporter.export({ resource, scopeMetrics }, ({ error = null }) => resolve(error)),
        ),
      );
    } catch (cause) {
      tell(toAppError(cause));
    }
  };
}

const hrTime = (epochMs: number): HrTime => [Math.trunc(epochMs / 1_000), Math.round((epochMs % 1_000) * 1e6)];

/** Sends the last figures and ends. */
export async function stopPush(): Promise<void> {
  const { stop } = running;
  running.stop = null;
  if (stop !== null) await lastWords(stop);
}
