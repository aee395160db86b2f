"use client";
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { useQueryStates } from "nuqs";
import { attentionOf } from "@/components/overview/attention";
import { AttentionList } from "@/components/overview/attention-list";
import { OverviewCharts } from "@/components/overview/overview-charts";
import { overviewParams, RANGE_WORDS } from "@/components/overview/overview-params";
import { RangeSelect } from "@/components/overview/range-select";
import { ServerFiguresTable } from "@/components/overview/server-figures-table";
import { Totals } from "@/components/overview/totals";
import { useMay } from "@/components/shell/me-context";
import { buttonClass } from "@/components/ui/button";
import { EmptyState } from "@/components/ui/empty-state";
import { ErrorState } from "@/components/ui/error-state";
import { PageHeader } from "@/components/ui/page-header";
import { Skeleton } from "@/components/ui/skeleton";
import { overviewQuery } from "@/lib/client/metrics";
import { serversQuery } from "@/lib/client/servers";
import type { OverviewRange, OverviewView } from "@/lib/metrics/schemas";

type NoTrafficProps = { readonly tenant: string; readonly range: OverviewRange; readonly hasServers: boolean };

function NoTraffic({ tenant, range, hasServers }: NoTrafficProps) {
  const mayConnect = useMay("agents:write");
  const mayRegister = useMay("servers:write");
  if (!hasServers)
    return (
      <EmptyState
        title="No server yet"
        why="Calls, errors and times will be here once agents call the tools of a registered server."
        action={
          mayRegister ? (
            <Link href={`/${tenant}/servers/new`} className={buttonClass({ variant: "primary" })}>
              Register a server
            </Link>
          ) : undefined
        }
      />
    );
  return (
    <EmptyState
      title={`No call in the last ${RANGE_WORDS[range]}`}
      why="Without calls there is nothing to measure: this says neither that the servers are well nor that they are not. Choose a longer window, or connect an agent."
      action={
        mayConnect ? (
          <Link href={`/${tenant}/agents`} className={buttonClass({ variant: "primary" })}>
            Connect an agent
          </Link>
        ) : undefined
      }
    />
  );
}

function Loading() {
  return (
    <div role="status" aria-label="Loading figures" className="flex flex-col gap-4">
      <Skeleton className="h-10" />
      <Skeleton className="h-16" />
      <div className="grid gap-4 xl:grid-cols-2">
        <Skeleton className="h-80" />
        <Skeleton className="h-80" />
      </div>
    </div>
  );
}

function Figures({ tenant, range, view }: { tenant: string; range: OverviewRange; view: OverviewView }) {
  const mayReadAudit = useMay("audit:read");
  const maySeeServers = useMay("servers:read");
  const servers = useQuery({ ...serversQuery(tenant), enabled: maySeeServers, refetchInterval: 15_000 }).data;
  const attention = attentionOf(view, servers ?? []);
  const silent = view.totals.calls === 0;
  const shared = { tenant, range, mayReadAudit };
  return (
    <>
      {silent && attention.length === 0 ? null : (
        <AttentionList items={attention} sawServers={servers !== undefined} {...shared} />
      )}
      {silent ? (
        <NoTraffic tenant={tenant} range={range} hasServers={servers === undefined || servers.length > 0} />
      ) : (
        <>
          <Totals totals={view.totals} />
          <OverviewCharts view={view} />
        </>
      )}
      {view.servers.length > 0 ? <ServerFiguresTable servers={view.servers} {...shared} /> : null}
    </>
  );
}

export function OverviewPage({ tenant }: { readonly tenant: string }) {
  const [{ range }, set] = useQueryStates(overviewParams);
  const { data, error, isPlaceholderData, refetch } = useQuery(overviewQuery(tenant, range));
  return (
    <>
      <PageHeader
        title="Overview"
        purpose="What agents asked for, what came of it, and how the servers behind them fare."
        actions={<RangeSelect value={range} onChange={(next) => void set({ range: next })} />}
      />
      {error !== null ? <ErrorState title="The figures could not be loaded" error={error} onRetry={refetch} /> : null}
      {data === undefined ? (
        error === null ? (
          <Loading />
        ) : null
      ) : (
        <div className="flex flex-col gap-4" aria-busy={isPlaceholderData}>
          <Figures tenant={tenant} range={range} view={data} />
        </div>
      )}
    </>
  );
}
