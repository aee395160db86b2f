"use client";
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import type { ReactNode } from "react";
import { ErrorBreakdown } from "@/components/figures/error-breakdown";
import { FigureCharts } from "@/components/figures/figure-charts";
import { FigureTotals } from "@/components/figures/figure-totals";
import { FiguresLoading } from "@/components/figures/figures-loading";
import { MarkList, shownMarks } from "@/components/figures/mark-list";
import { type FigureSubject, trailHref } from "@/components/figures/trail-links";
import { useFigureWindow } from "@/components/figures/use-figure-window";
import { WindowSelect } from "@/components/figures/window-select";
import { useMay } from "@/components/shell/me-context";
import { buttonClass } from "@/components/ui/button";
import { ErrorState } from "@/components/ui/error-state";
import { Note } from "@/components/ui/note";
import { circuitsQuery, type MetricsWindow, marksQuery, seriesQuery, statisticsQuery } from "@/lib/client/metrics";
import type { SeriesView } from "@/lib/metrics/schemas";

type Props = {
  readonly subject: FigureSubject;
  /** Further parts of the page for the same window. */
  readonly children?: (window: MetricsWindow) => ReactNode;
};

/** Silence is neither good nor bad, and is said so. */
function Silence({ view, what }: { readonly view: SeriesView; readonly what: string }) {
  if (view.points.some(({ requests }) => requests > 0)) return null;
  return (
    <Note>
      No call of {what} within this time: this says neither that it is well nor that it is not. Choose a longer one.
    </Note>
  );
}

function Shown({ subject, children }: Props) {
  const page = useFigureWindow();
  const mayReadAudit = useMay("audit:read");
  const { tenant, server, tool } = subject;
  const narrowed = tool === undefined ? { server } : { server, tool };
  const series = useQuery(seriesQuery(tenant, page.window, narrowed));
  const circuits = useQuery(circuitsQuery(tenant, page.window, server)).data;
  const marks = useQuery(marksQuery(tenant, page.window, server)).data;
  const by = tool === undefined ? "server" : "tool";
  const row = useQuery(statisticsQuery(tenant, page.window, { by, ...narrowed })).data?.rows[0];
  const view = series.data;
  const changes = shownMarks(marks?.marks ?? []);
  return (
    <div className="flex flex-col gap-5" aria-busy={series.isPlaceholderData}>
      <div className="flex flex-wrap items-center justify-between gap-2">
        <WindowSelect window={page.window} shown={view} onChange={page.change} />
        {mayReadAudit ? (
          <Link href={trailHref(subject, page.window)} className={buttonClass()}>
            Last entries
          </Link>
        ) : null}
      </div>
      {series.error ? (
        <ErrorState title="The figures could not be loaded" error={series.error} onRetry={series.refetch} />
      ) : null}
      {view === undefined && series.error === null ? <FiguresLoading /> : null}
      {view === undefined ? null : (
        <>
          <Silence view={view} what={tool ?? server} />
          <FigureTotals row={row} />
          <FigureCharts
            {...{ subject, view, circuits, page }}
            marks={changes.map(({ at, text }) => ({ at, label: text }))}
          />
          <MarkList {...{ tenant, mayReadAudit }} marks={changes} more={marks?.more === true} />
          <ErrorBreakdown {...{ subject, row, mayReadAudit }} window={page.window} />
          {children?.(page.window)}
        </>
      )}
    </div>
  );
}

/** What calls of a server or of one of its tools did, live. */
export function Figures(props: Props) {
  const may = useMay("metrics:read");
  if (!may) return <Note>Figures need the permission metrics:read, which none of your roles here holds.</Note>;
  return <Shown {...props} />;
}
