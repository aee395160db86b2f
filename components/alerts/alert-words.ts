import { toolHref } from "@/components/figures/tool-href";
import { formatDuration, formatShare } from "@/components/ui/format";
import type { AlertView, Metric, Watch } from "@/lib/alerts/schemas";
import { queryString } from "@/lib/client/api";

export const METRIC_WORDS: Readonly<Record<Metric, string>> = {
  p95_ms: "P95",
  error_rate: "Error rate",
  availability: "Availability",
};

export const WATCH_WORDS: Readonly<Record<Watch, string>> = {
  circuit_open: "the circuit of a server is open",
  server_unhealthy: "a server does not answer when it is asked for its tools",
  trail_failing: "entries of the trail are written slowly or not at all",
  verification_failed: "a verification of the trail found it broken",
  kill_switch_used: "a kill switch stops calls",
};

export const formatMetric = (metric: Metric | null, value: number | null): string =>
  metric === "p95_ms" ? formatDuration(value) : formatShare(value);

/** What the alert is about, in the words of the door: a tool, a server, or what a watch looks at. */
export function subjectOf({ server, tool, target }: Pick<AlertView, "server" | "tool" | "target">): string {
  if (server === null) return target ?? "this tenant";
  return tool === null ? server : `${server}__${tool}`;
}

const MINUTE_MS = 60_000;
/** A rule looks back this long at most before it says so; what it saw is part of the story. */
const BEFORE_MS = 15 * MINUTE_MS;
const AFTER_MS = 5 * MINUTE_MS;

const minute = (ms: number): string => new Date(Math.floor(ms / MINUTE_MS) * MINUTE_MS).toISOString();

/** The window that shows an alert from before it began; an open one has no end. */
export function windowOf({ since, resolvedAt }: Pick<AlertView, "since" | "resolvedAt">) {
  const from = minute(Date.parse(since) - BEFORE_MS);
  return resolvedAt === null ? { from } : { from, to: minute(Date.parse(resolvedAt) + AFTER_MS) };
}

/** The entries behind an alert: those of its server or tool while it lasted, or of what a watch looks at. */
export function entriesHref(tenant: string, alert: AlertView): string {
  const { server, tool, metric, watch } = alert;
  const filter = {
    ...{ server, tool },
    ...(metric === "error_rate" || metric === "availability" ? { outcome: "failure" } : {}),
    ...(watch === "kill_switch_used" ? { q: "kill_switch" } : {}),
  };
  return `/${tenant}/audit${queryString({ ...windowOf(alert), ...filter })}`;
}

/** The figures of the alert's server or tool: as they go on while it is open, else of its time. */
export function figuresHref(tenant: string, serverId: string, alert: AlertView): string {
  const window = windowOf(alert);
  if (alert.tool !== null) return toolHref(tenant, serverId, alert.tool, window);
  return `/${tenant}/servers/${serverId}${queryString({ tab: "figures", ...window })}`;
}
