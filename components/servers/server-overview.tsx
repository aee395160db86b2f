import Link from "next/link";
import { ServerHandling } from "@/components/limits/server-handling";
import { ZoneBadges } from "@/components/shell/zone-badges";
import { Facts } from "@/components/ui/facts";
import { formatDuration, formatPlural, formatShare } from "@/components/ui/format";
import { Id } from "@/components/ui/id";
import { Note } from "@/components/ui/note";
import { Section } from "@/components/ui/section";
import { Time, useNow } from "@/components/ui/time";
import type { ServerDetail } from "@/lib/servers/schemas";
import { CircuitActions } from "./circuit-actions";
import { CircuitStatus } from "./circuit-status";
import { HealthStatus } from "./health-status";
import { keptOpen, keptOpenWords } from "./kept-open";
import { ProbeView } from "./probe-view";

const CAUSES: Readonly<Record<string, string>> = {
  consecutive_failures: "too many failures in a row",
  success_rate: "too few calls succeeded",
  slow_rate: "too many calls were slow",
  trial_failed: "a trial call failed",
};

function windowWords({ windowCalls, successRate }: ServerDetail["circuit"]): string {
  if (successRate === null) return "no calls";
  return `${formatPlural(windowCalls, "call", "calls")}, ${formatShare(successRate)} succeeded`;
}

/** What this process holds of the server now, and has held. */
function poolFacts(pool: ServerDetail["pool"]) {
  if (pool === null) return [];
  const { inUse, maxConcurrent, queued, maxQueued, exhausted, refused, open, created, reused } = pool;
  return [
    { name: "Calls in flight", value: `${inUse} of ${maxConcurrent}, ${queued} of ${maxQueued} waiting` },
    { name: "Without a free place", value: `${formatPlural(exhausted, "call", "calls")}, ${refused} of them refused` },
    { name: "Connections", value: `${open} open, ${created} opened, reused ${formatPlural(reused, "time", "times")}` },
  ];
}

/** An open circuit lets a call try when its rest is over; nobody tries before a call comes. */
function OpenUntil({ iso }: { readonly iso: string }) {
  const now = useNow();
  if (now !== null && Date.parse(iso) <= now) return <span>the next call tries it</span>;
  return (
    <span>
      tried again <Time iso={iso} />
    </span>
  );
}

/** The circuit's state, with what led there. */
function CircuitFacts({ circuit }: { readonly circuit: ServerDetail["circuit"] }) {
  return (
    <span className="flex flex-wrap items-center gap-x-2">
      <CircuitStatus circuit={circuit} />
      {circuit.cause ? <span>{CAUSES[circuit.cause] ?? circuit.cause}</span> : null}
      {circuit.consecutiveFailures > 0 ? <span>{circuit.consecutiveFailures} failures in a row</span> : null}
      {circuit.openUntil ? <OpenUntil iso={circuit.openUntil} /> : null}
    </span>
  );
}

/** What a server is and how it fares. */
export function ServerOverview({ tenant, server }: { readonly tenant: string; readonly server: ServerDetail }) {
  const unmapped = server.toolCount - server.mappedToolCount;
  const { circuit } = server;
  return (
    <div className="grid gap-8 lg:grid-cols-2">
      <Section title="State">
        {unmapped > 0 ? (
          <Note tone="warn">
            {unmapped} of its tools are unmapped and need admin:*.{" "}
            <Link className="underline" href={`/${tenant}/access?tab=map&server=${server.slug}&only=unmapped`}>
              Map them
            </Link>
            .
          </Note>
        ) : null}
        {server.heldToolCount > 0 ? (
          <Note tone="warn">
            {server.heldToolCount} of its tools changed and {server.heldToolCount === 1 ? "is" : "are"} not called.{" "}
            <Link className="underline" href={`/${tenant}/servers/${server.id}?tab=tools`}>
              Review
            </Link>
            .
          </Note>
        ) : null}
        {server.health.status === "unavailable" ? (
          <Note tone="warn">
            It does not answer since <Time iso={server.health.since ?? ""} />: {server.health.reason} Its tools stay
            listed as it offered them last.
          </Note>
        ) : null}
        {server.health.reasonCode === "list_cut" ? (
          <Note tone="warn">
            {server.health.reason} Nothing behind that is known here: no agent sees it, and a tool that was seen before
            stays as it was.
          </Note>
        ) : null}
        <Facts
          facts={[
            {
              name: "Health",
              value: (
                <span className="flex flex-wrap items-center gap-x-2">
                  <HealthStatus health={server.health} />
                  {server.health.checkedAt ? (
                    <span>
                      asked <Time iso={server.health.checkedAt} />
                    </span>
                  ) : null}
                </span>
              ),
            },
            {
              name: "Circuit",
              value: <CircuitFacts circuit={circuit} />,
            },
            { name: "Within its window", value: windowWords(circuit) },
            ...(circuit.tools.length > 0
              ? [{ name: "Tools with an open circuit", value: circuit.tools.map(({ tool }) => tool).join(", ") }]
              : []),
            { name: "Last failure", value: circuit.lastFailure ?? "none since start" },
            { name: "Tools", value: `${server.toolCount}, ${server.mappedToolCount} mapped` },
            { name: "Zones", value: server.zones.length > 0 ? <ZoneBadges zones={server.zones} /> : "–" },
            { name: "Residency", value: server.residency.toUpperCase() || "the tenant's" },
            { name: "Deadline", value: formatDuration(server.deadlineMs) },
            { name: keptOpenWords(server.transport).label, value: keptOpen(server) },
            ...poolFacts(server.pool),
            {
              name: "Credentials",
              value: server.credentialNames.length > 0 ? `${server.credentialNames.join(", ")} (sealed)` : "none",
            },
            { name: "Registered", value: <Time iso={server.createdAt} show="both" /> },
            { name: "Id", value: <Id value={server.id} label="server id" /> },
          ]}
        />
        <CircuitActions tenant={tenant} server={server} />
        <p className="flex flex-wrap gap-x-4 text-sm">
          <Link
            className="text-accent-text underline underline-offset-2"
            href={`/${tenant}/audit?server=${server.slug}`}
          >
            Its entries in the trail
          </Link>
        </p>
      </Section>
      <div className="flex flex-col gap-8">
        <ServerHandling tenant={tenant} server={server} />
        <LastProbe server={server} />
      </div>
    </div>
  );
}

function LastProbe({ server }: { readonly server: ServerDetail }) {
  return (
    <Section title="Last probe" note={server.probedAt ? <Time iso={server.probedAt} show="both" /> : undefined}>
      {server.probe ? (
        <ProbeView
          probe={server.probe}
          transport={server.transport}
          address={server.address}
          toolCount={server.toolCount}
        />
      ) : (
        <p className="text-sm text-muted">It has not been probed yet.</p>
      )}
    </Section>
  );
}
