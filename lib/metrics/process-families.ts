import "server-only";
import { type IntervalHistogram, monitorEventLoopDelay } from "node:perf_hooks";
import { GATEWAY_VERSION } from "@/lib/audit/gateway-identity";
import { trail } from "@/lib/audit/trail";
import { singleton } from "@/lib/core/singleton";
import { pool } from "@/lib/db/client";
import type { Family, Sample } from "@/lib/metrics/exposition";
import { type GatewayFigures, gatewayFigures } from "@/lib/metrics/gateway-source";
import { recorderFigures } from "@/lib/metrics/recorder";
import { spanCounts } from "@/lib/telemetry/span-counts";

const RESOLUTION_MS = 10;
/** Who asks. Each hears of the time since it asked last, whatever others asked meanwhile. */
export type Asker = "scrape" | "push";

const loopDelayFor = (asker: Asker): IntervalHistogram =>
  singleton(`metrics.loop-delay.${asker}`, () => {
    const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    histogram.enable();
    return histogram;
  });
loopDelayFor("scrape");

const gauge = (name: string, help: string, value: number): Family => ({
  name,
  help,
  type: "gauge",
  samples: [{ value }],
});
const counter = (name: string, help: string, value: number): Family => ({
  ...{ name, help, type: "counter" },
  samples: [{ value }],
});
const perName = (label: string, counts: ReadonlyMap<string, number>): readonly Sample[] =>
  [...counts].map(([name, value]) => ({ labels: { [label]: name }, value }));

const OUTCOMES = ["success", "failure", "denied", "cancelled", "unknown"] as const;

/** Everything this process tells outside tools. No label names a tenant, server, tool or caller: those are in the console. */
export async function processFamilies(asker: Asker): Promise<readonly Family[]> {
  const gateway = await gatewayFigures();
  const own = [...calls(), ...trailFamilies(), ...recorderFamilies(), spans(), ...processItself(asker)];
  return [...own, ...gatewayFamilies(gateway)];
}

function calls(): readonly Family[] {
  const { outcomes, errors, latency, upstream, cacheHits } = recorderFigures().totals;
  const all = new Map(OUTCOMES.map((outcome) => [outcome, outcomes.get(outcome) ?? 0]));
  return [
    {
      ...{ name: "countersign_calls_total", help: "Calls that ended, by outcome.", type: "counter" },
      samples: perName("outcome", all),
    },
    {
      ...{ name: "countersign_call_errors_total", help: "Calls that did not succeed, by code.", type: "counter" },
      samples: perName("code", errors),
    },
    {
      ...{
        name: "countersign_call_duration_seconds",
        help: "Calls that were let through, from arrival to the outcome.",
      },
      ...{ type: "histogram", histogram: latency },
    },
    {
      ...{ name: "countersign_upstream_duration_seconds", help: "The part of it that the server took." },
      ...{ type: "histogram", histogram: upstream },
    },
    counter("countersign_cache_hits_total", "Calls answered with a kept answer.", cacheHits),
  ];
}

function trailFamilies(): readonly Family[] {
  const { writable, queued, openCalls } = trail().status();
  return [
    gauge("countersign_audit_writable", "1 while entries can be written to the trail.", writable ? 1 : 0),
    gauge("countersign_audit_queue_entries", "Entries that wait to be written.", queued),
    gauge("countersign_audit_open_calls", "Calls whose intent is written and whose outcome is not.", openCalls),
    {
      ...{
        name: "countersign_audit_append_seconds",
        help: "From the time in an outcome entry to when it was durable.",
      },
      ...{ type: "histogram", histogram: recorderFigures().totals.trailWait },
    },
  ];
}

function recorderFamilies(): readonly Family[] {
  const { cells, folded, failedFlushes, lastFlushMs } = recorderFigures();
  return [
    gauge("countersign_metrics_cells", "Minutes of figures held in memory.", cells),
    counter("countersign_metrics_folded_total", "Calls counted under (others) because a limit was reached.", folded),
    counter(
      "countersign_metrics_failed_flushes_total",
      "Times figures could not be stored and were kept.",
      failedFlushes,
    ),
    gauge("countersign_metrics_flush_seconds", "How long storing figures took last.", lastFlushMs / 1_000),
  ];
}

const spans = (): Family => ({
  ...{ name: "countersign_spans_total", help: "Spans of traces, by what became of them.", type: "counter" },
  samples: perName("outcome", new Map(Object.entries(spanCounts))),
});

function processItself(asker: Asker): readonly Family[] {
  const { totalCount, idleCount, waitingCount } = pool();
  const lagMs = (nanoseconds: number) =>
    Number.isNaN(nanoseconds) ? 0 : Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
  const loopDelay = loopDelayFor(asker);
  const [mean, max] = [lagMs(loopDelay.mean), loopDelay.count === 0 ? 0 : lagMs(loopDelay.max)];
  loopDelay.reset();
  const connections = new Map([
    ["idle", idleCount],
    ["used", totalCount - idleCount],
  ]);
  return [
    {
      ...{ name: "countersign_build_info", help: "The version that runs.", type: "gauge" },
      samples: [{ labels: { version: GATEWAY_VERSION }, value: 1 }],
    },
    gauge("countersign_event_loop_lag_seconds", "Mean delay of the event loop since the last scrape.", mean / 1_000),
    gauge("countersign_event_loop_lag_max_seconds", "Longest delay since the last scrape.", max / 1_000),
    gauge("process_resident_memory_bytes", "Resident memory.", process.memoryUsage.rss()),
    counter("process_cpu_seconds_total", "User and system CPU time.", cpuSeconds()),
    gauge("process_start_time_seconds", "Start of the process since the epoch.", performance.timeOrigin / 1_000),
    {
      ...{ name: "countersign_database_connections", help: "Connections of the pool, by state.", type: "gauge" },
      samples: perName("state", connections),
    },
    gauge("countersign_database_waiting", "Transactions that wait for a connection.", waitingCount),
  ];
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

function gatewayFamilies(figures: GatewayFigures | null): readonly Family[] {
  if (figures === null) return [];
  return [
    {
      ...{ name: "countersign_circuits", help: "Circuits of servers that were called, by state.", type: "gauge" },
      samples: perName("state", figures.circuits),
    },
    gauge("countersign_upstream_connections_open", "Connections to servers.", figures.connectionsOpen),
    counter("countersign_upstream_connections_created_total", "Connections opened.", figures.connectionsCreated),
    counter("countersign_upstream_connections_reused_total", "Calls over an open one.", figures.connectionsReused),
    gauge("countersign_upstream_calls_in_flight", "Calls at servers.", figures.callsInFlight),
    gauge("countersign_upstream_calls_queued", "Calls that wait for a place at a server.", figures.callsQueued),
    counter(
      "countersign_upstream_exhausted_total",
      "Times all places at a server were taken.",
      figures.placesExhausted,
    ),
    counter("countersign_upstream_refused_total", "Calls refused for want of a place.", figures.placesRefused),
  ];
}
