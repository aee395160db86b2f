"use client";
import { useQuery } from "@tanstack/react-query";
import { inputOf, issuesOf, type RuleValues } from "@/components/alerts/rule-form";
import { previewOf } from "@/components/alerts/rule-words";
import { useMay } from "@/components/shell/me-context";
import { Note } from "@/components/ui/note";
import { useNow } from "@/components/ui/time";
import { statisticsQuery } from "@/lib/client/metrics";

const MINUTE_MS = 60_000;

/** What a rule would say of the minutes just past, so that nobody saves one that cries at once or never can. */
export function RulePreview({ tenant, values }: { readonly tenant: string; readonly values: RuleValues }) {
  const may = useMay("metrics:read");
  const now = useNow();
  const { metric, threshold, server, tool, windowMinutes = 5, minCalls = 1 } = inputOf(values);
  const sound = Object.keys(issuesOf({ ...values, name: "any" })).length === 0;
  const to = now === null ? 0 : Math.ceil(now / MINUTE_MS) * MINUTE_MS;
  const bounds = sound ? { from: to - (windowMinutes + 1) * MINUTE_MS, to } : { from: 0, to: MINUTE_MS };
  const { data } = useQuery({
    ...statisticsQuery(
      tenant,
      { from: new Date(bounds.from).toISOString(), to: new Date(bounds.to).toISOString() },
      {
        by: tool ? "tool" : "server",
        ...(server ? { server } : {}),
        ...(tool ? { tool } : {}),
        limit: 500,
      },
    ),
    enabled: may && sound && now !== null,
  });
  if (!may || !sound || data === undefined) return null;
  const { broken, words } = previewOf({ metric, threshold }, minCalls, data.rows);
  return <Note tone={broken ? "warn" : "info"}>{words}</Note>;
}
