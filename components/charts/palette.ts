/** The same colour for the same thing on every page; names of CSS variables, so both themes are right. */
export const CHART = {
  succeeded: "var(--chart-ok)",
  failed: "var(--chart-failed)",
  denied: "var(--chart-bad)",
  p50: "var(--chart-p50)",
  p95: "var(--chart-p95)",
  p99: "var(--chart-p99)",
  axis: "var(--muted)",
  grid: "var(--line)",
} as const;
