import type { Tone } from "@/components/ui/badge";
import { formatCount, formatDuration, formatPlural, formatShare } from "@/components/ui/format";
import type { StatusState } from "@/components/ui/status";
import type { AlertView } from "@/lib/alerts/schemas";
import type { OverviewView, ServerFigures } from "@/lib/metrics/schemas";
import type { ServerView } from "@/lib/servers/schemas";

/** The limits people are measured against. */
export const P95_LIMIT_MS = 5000;
export const ERROR_RATE_LIMIT = 0.05;

export type AttentionItem = {
  readonly id: string;
  readonly tone: Tone;
  readonly state: StatusState;
  readonly subject: string;
  readonly text: string;
  /** Where it can be looked into. */
  readonly leads:
    | { readonly to: "entries"; readonly filter: Readonly<Record<string, string>> }
    | { readonly to: "server"; readonly id: string; readonly tab: "overview" | "tools" };
};

const entries = (filter: Readonly<Record<string, string>>) => ({ to: "entries" as const, filter });

const CIRCUIT_TEXTS = {
  open: "Circuit open: calls are refused at once until the server answers again.",
  "half-open": "Circuit half-open: a few calls are let through to see whether the server is back.",
  "forced-open": "Circuit tripped by a person: every call is refused until a person closes it.",
  disabled: "Circuit disabled by a person: calls go through however often they fail.",
} as const;

function circuitItem({ server, circuit }: ServerFigures): AttentionItem | null {
  if (circuit === "closed") return null;
  return {
    id: `circuit-${server}`,
    tone: circuit === "open" || circuit === "forced-open" ? "bad" : "warn",
    state: circuit,
    subject: server,
    text: CIRCUIT_TEXTS[circuit],
    leads: entries({ server, outcome: "failure" }),
  };
}

function errorItem({ server, errorRate, failures }: ServerFigures): AttentionItem | null {
  if (errorRate === null || errorRate <= ERROR_RATE_LIMIT) return null;
  return {
    id: `errors-${server}`,
    tone: "bad",
    state: "failing",
    subject: server,
    text: `${formatShare(errorRate)} of its calls failed (${formatCount(failures)}); the limit is ${formatShare(ERROR_RATE_LIMIT)}.`,
    leads: entries({ server, outcome: "failure" }),
  };
}

function slowItem({ server, p95Ms }: ServerFigures): AttentionItem | null {
  if (p95Ms === null || p95Ms <= P95_LIMIT_MS) return null;
  return {
    id: `slow-${server}`,
    tone: "warn",
    state: "slow",
    subject: server,
    text: `Slow: P95 is ${formatDuration(p95Ms)}; the limit is ${formatDuration(P95_LIMIT_MS)}.`,
    leads: entries({ server }),
  };
}

function silentItem({ id, slug, status, health }: ServerView): AttentionItem | null {
  if (status !== "enabled" || health.status !== "unavailable") return null;
  return {
    id: `silent-${slug}`,
    tone: "bad",
    state: "silent",
    subject: slug,
    text: `It does not answer: ${health.reason ?? "no reason is known."} Its tools stay listed as it offered them last.`,
    leads: { to: "server", id, tab: "overview" },
  };
}

function heldItem({ id, slug, heldToolCount }: ServerView): AttentionItem | null {
  if (heldToolCount === 0) return null;
  return {
    id: `held-${slug}`,
    tone: "warn",
    state: "held",
    subject: slug,
    text: `${formatPlural(heldToolCount, "tool", "tools")} said something else than was approved and ${heldToolCount === 1 ? "is" : "are"} not called.`,
    leads: { to: "server", id, tab: "tools" },
  };
}

function totalItems({ totals }: OverviewView): (AttentionItem | null)[] {
  const { unknown, denied } = totals;
  return [
    unknown === 0
      ? null
      : {
          id: "unknown",
          tone: "warn",
          state: "unknown",
          subject: formatPlural(unknown, "call", "calls"),
          text: "Outcome unknown: the gateway stopped before an answer came. The server may have acted.",
          leads: entries({ outcome: "unknown" }),
        },
    denied === 0
      ? null
      : {
          id: "denied",
          tone: "neutral",
          state: "denied",
          subject: formatPlural(denied, "call", "calls"),
          text: "Refused for lack of a permission. Nothing reached a server.",
          leads: entries({ decision: "denied" }),
        },
  ];
}

const WEIGHT: Readonly<Record<Tone, number>> = { bad: 0, warn: 1, info: 2, accent: 3, ok: 4, neutral: 5 };

/** What an alert about a whole server says already, by the name of the item that would say it again. */
function saidBy({ server, tool, metric, watch }: AlertView): string | null {
  if (server === null || tool !== null) return null;
  if (watch === "circuit_open") return `circuit-${server}`;
  if (watch === "server_unhealthy") return `silent-${server}`;
  if (metric === "p95_ms") return `slow-${server}`;
  return metric === "error_rate" ? `errors-${server}` : null;
}

/**
 * What a person should look at beside the open alerts, worst first. `servers` are those the person may see. It is said of the
 * window one looks at and without a rule: an alert about the same is not repeated.
 */
export function attentionOf(
  view: OverviewView,
  servers: readonly ServerView[],
  alerts: readonly AlertView[],
): readonly AttentionItem[] {
  const said = new Set(alerts.map(saidBy));
  const items = [
    ...servers.flatMap((server) => [silentItem(server), heldItem(server)]),
    ...view.servers.flatMap((server) => [circuitItem(server), errorItem(server), slowItem(server)]),
    ...totalItems(view),
  ];
  return items
    .filter((item) => item !== null)
    .filter((item) => !said.has(item.id))
    .toSorted((a, b) => WEIGHT[a.tone] - WEIGHT[b.tone]);
}
