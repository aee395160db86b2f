"use client";
import { useQuery } from "@tanstack/react-query";
import { Figures } from "@/components/figures/figures";
import { FiguresTable } from "@/components/figures/figures-table";
import { PoolPanel } from "@/components/figures/pool-panel";
import { toolHref } from "@/components/figures/tool-href";
import { trailHref } from "@/components/figures/trail-links";
import { useMay } from "@/components/shell/me-context";
import { type MetricsWindow, poolsQuery, statisticsQuery } from "@/lib/client/metrics";

/** Names beyond what is told apart. */
const FOLDED = "(others)";

type Props = { readonly tenant: string; readonly id: string; readonly slug: string };

function Parts({ tenant, id, slug, window }: Props & { readonly window: MetricsWindow }) {
  const mayReadAudit = useMay("audit:read");
  const tools = useQuery(statisticsQuery(tenant, window, { by: "tool", server: slug })).data?.rows ?? [];
  const callers = useQuery(statisticsQuery(tenant, window, { by: "caller", server: slug })).data?.rows ?? [];
  const pool = useQuery(poolsQuery(tenant, window, slug)).data?.servers.find(({ server }) => server === slug);
  const search = typeof window === "string" ? { range: window } : window;
  return (
    <>
      <PoolPanel figures={pool} />
      <FiguresTable
        title="Its tools"
        what="Tool"
        rows={tools}
        nameOf={({ tool }) => tool}
        hrefOf={({ tool }) => (tool === FOLDED ? null : toolHref(tenant, id, tool, search))}
        none="None of its tools was called within this time."
      />
      <FiguresTable
        title="Who called"
        what="Caller"
        rows={callers}
        nameOf={({ caller, callerName }) => callerName || caller}
        hrefOf={({ caller }) =>
          mayReadAudit && caller !== FOLDED ? trailHref({ tenant, server: slug }, window, { caller }) : null
        }
        none="Nobody called it within this time."
      />
    </>
  );
}

/** The figures of a server, of its tools, and of who called them. */
export function ServerFigures({ tenant, id, slug }: Props) {
  return (
    <Figures subject={{ tenant, server: slug }}>{(window) => <Parts {...{ tenant, id, slug, window }} />}</Figures>
  );
}
