import { queryString } from "@/lib/client/api";
import type { MetricsWindow } from "@/lib/client/metrics";

/** What figures are of. */
export type FigureSubject = { readonly tenant: string; readonly server: string; readonly tool?: string };

/** Which entries of it: of calls unless told. */
export type TrailQuestion = {
  readonly outcome?: "success" | "failure" | "denied" | "unknown";
  readonly caller?: string;
  readonly tool?: string;
  readonly q?: string;
};

/** The entries of one stretch of time. A relative window stays relative in the trail's address too. */
export function trailHref(
  { tenant, server, tool }: FigureSubject,
  time: MetricsWindow,
  ask: TrailQuestion = {},
): string {
  const said = typeof time === "string" ? { range: time } : time;
  return `/${tenant}/audit${queryString({ ...said, phase: "outcome", server, tool, ...ask })}`;
}

export const bucketWindow = (at: string, bucketMs: number) => ({
  from: new Date(at).toISOString(),
  to: new Date(Date.parse(at) + bucketMs).toISOString(),
});
