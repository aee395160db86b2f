import type { ChartPoint, HrefOf } from "@/components/charts/series";
import { queryString } from "@/lib/client/api";
import type { MetricsWindow } from "@/lib/client/metrics";

const OUTCOMES: Readonly<Record<string, string>> = { succeeded: "success", failed: "failure", denied: "denied" };

/** The tenant's entries of a window. A relative window stays relative in the trail's address too. */
export const trailHref = (tenant: string, window: MetricsWindow, filter: Readonly<Record<string, string>>): string =>
  `/${tenant}/audit${queryString({ ...(typeof window === "string" ? { range: window } : window), ...filter })}`;

/** The calls of a bucket; of one outcome where a layer of the bars was meant, of `outcome` where the chart is about it. */
export const bucketHref =
  (tenant: string, bucketMs: number, outcome?: string): HrefOf =>
  ({ at }: ChartPoint, key: string | null) => {
    const asked = key === null ? outcome : OUTCOMES[key];
    if (key !== null && asked === undefined) return null;
    const bounds = { from: new Date(at).toISOString(), to: new Date(Date.parse(at) + bucketMs).toISOString() };
    return trailHref(tenant, bounds, { phase: "outcome", ...(asked === undefined ? {} : { outcome: asked }) });
  };
