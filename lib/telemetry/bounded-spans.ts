import type { ReadableSpan, SpanExporter, SpanProcessor } from "@opentelemetry/sdk-trace";
import { receiverLog } from "@/lib/telemetry/receiver-log";
import { spanCounts } from "@/lib/telemetry/span-counts";

/** Spans that may wait for the receiver. The rest is given up: a trace is never worth a slower call. */
export const MAX_WAITING_SPANS = 8_192;

type Batching = (exporter: SpanExporter) => SpanProcessor;

/** Puts a bound with a count in front of what batches spans, and counts what the receiver made of them. */
export function boundedSpans(exporter: SpanExporter, batching: Batching): SpanProcessor {
  const tell = receiverLog("traces");
  let waiting = 0;

  const counting: SpanExporter = {
    export(spans, done) {
      waiting -= spans.length;
      exporter.export(spans, (result) => {
        const error = result.code === 0 ? null : (result.error ?? new Error("not taken"));
        spanCounts[error === null ? "exported" : "failed"] += spans.length;
        tell(error);
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
  };
  const inner = batching(counting);
  return {
    onStart: () => undefined,
    onEnd(span: ReadableSpan) {
      if (waiting >= MAX_WAITING_SPANS) {
        spanCounts.dropped += 1;
        return;
      }
      waiting += 1;
      inner.onEnd(span);
    },
    forceFlush: () => inner.forceFlush(),
    shutdown: () => inner.shutdown(),
  };
}
