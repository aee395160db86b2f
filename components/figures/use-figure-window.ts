"use client";
import { useQueryStates } from "nuqs";
import { figureParams, windowOf } from "@/components/figures/figure-params";
import type { MetricsWindow } from "@/lib/client/metrics";

/** The window of the page's address, and what is shown as a table; one step back undoes the last change of the window. */
export function useFigureWindow() {
  const [params, set] = useQueryStates(figureParams);
  const { tables } = params;
  const change = (next: MetricsWindow): void => {
    const said =
      typeof next === "string"
        ? { range: next, from: null, to: null }
        : { range: null, from: next.from, to: next.to ?? null };
    void set(said, { history: "push" });
  };
  const tableOf = (chart: string) => ({
    asTable: tables.includes(chart),
    onAsTableChange: (on: boolean): void =>
      void set({ tables: on ? [...tables, chart] : tables.filter((other) => other !== chart) }),
  });
  return { window: windowOf(params), change, tableOf };
}
