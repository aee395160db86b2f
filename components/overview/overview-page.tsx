"use client";
import { useQuery } from "@tanstack/react-query";
import { useFigureWindow } from "@/components/figures/use-figure-window";
import { WindowSelect } from "@/components/figures/window-select";
import { attentionOf } from "@/components/overview/attention";
import { AttentionList } from "@/components/overview/attention-list";
import { LightsPanel } from "@/components/overview/lights-panel";
import { NoTraffic } from "@/components/overview/no-traffic";
import { OverviewCharts } from "@/components/overview/overview-charts";
import { ServerFiguresTable } from "@/components/overview/server-figures-table";
import { Totals } from "@/components/overview/totals";
import { useMay } from "@/components/shell/me-context";
import { ErrorState } from "@/components/ui/error-state";
import { PageHeader } from "@/components/ui/page-header";
import { Skeleton } from "@/components/ui/skeleton";
import { openAlertsQuery } from "@/lib/client/alerts";
import { healthQuery, overviewQuery } from "@/lib/client/metrics";
import { serversQuery } from "@/lib/client/servers";
import type { OverviewView } from "@/lib/metrics/schemas";

function Loading() {
  return (
    <div role="status" aria-label="Loading figures" className="flex flex-col gap-4">
      <Skeleton className="h-10" />
      <Skeleton className="h-16" />
      <div className="grid gap-4 xl:grid-cols-2">
        <Skeleton className="h-80" />
        <Skeleton className="h-80" />
        <Skeleton className="h-80" />
        <Skeleton className="h-80" />
      </div>
    </div>
  );
}

type FiguresProps = {
  readonly tenant: string;
  readonly view: OverviewView;
  readonly figures: ReturnType<typeof useFigureWindow>;
};

function Figures({ tenant, view, figures }: FiguresProps) {
  const { window, change, tableOf } = figures;
  const mayReadAudit = useMay("audit:read");
  const maySeeServers = useMay("servers:read");
  const mayReadAlerts = useMay("alerts:read");
  const servers = useQuery({ ...serversQuery(tenant), enabled: maySeeServers, refetchInterval: 15_000 }).data;
  const alerts = useQuery({ ...openAlertsQuery(tenant), enabled: mayReadAlerts }).data?.items ?? [];
  const lights = useQuery(healthQuery(tenant)).data?.servers ?? [];
  const attention = attentionOf(view, servers ?? [], alerts);
  const serverIds = new Map(servers?.map(({ slug, id }) => [slug, id]));
  const silent = view.totals.calls === 0;
  const shared = { tenant, window, mayReadAudit };
  return (
    <>
      {silent && attention.length + alerts.length === 0 ? null : (
        <AttentionList alerts={alerts} items={attention} sawServers={servers !== undefined} {...shared} />
      )}
      {silent && servers?.length === 0 ? null : <LightsPanel tenant={tenant} serverIds={serverIds} />}
      {silent ? (
        <NoTraffic tenant={tenant} window={window} hasServers={servers === undefined || servers.length > 0} />
      ) : (
        <>
          <Totals totals={view.totals} />
          <OverviewCharts
            {...{ tenant, view, mayReadAudit, tableOf }}
            onRange={(from, to) => change({ from: new Date(from).toISOString(), to: new Date(to).toISOString() })}
          />
        </>
      )}
      {view.servers.length > 0 ? (
        <ServerFiguresTable
          servers={view.servers}
          lights={new Map(lights.map((light) => [light.server, light]))}
          serverIds={serverIds}
          {...shared}
        />
      ) : null}
    </>
  );
}

/** What is wrong first, then the lights, then what agents asked for and what came of it. */
export function OverviewPage({ tenant }: { readonly tenant: string }) {
  const figures = useFigureWindow();
  const { data, error, isPlaceholderData, refetch } = useQuery(overviewQuery(tenant, figures.window));
  return (
    <>
      <PageHeader
        title="Overview"
        purpose="What agents asked for, what came of it, and how the servers behind them fare."
        actions={<WindowSelect window={figures.window} shown={data} onChange={figures.change} />}
      />
      {error !== null ? <ErrorState title="The figures could not be loaded" error={error} onRetry={refetch} /> : null}
      {data === undefined ? (
        error === null ? (
          <Loading />
        ) : null
      ) : (
        <div className="flex flex-col gap-4" aria-busy={isPlaceholderData}>
          <Figures tenant={tenant} view={data} figures={figures} />
        </div>
      )}
    </>
  );
}
