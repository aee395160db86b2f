"use client";
import { useQuery } from "@tanstack/react-query";
import { parseAsStringLiteral, useQueryState } from "nuqs";
import { ServerFigures } from "@/components/figures/server-figures";
import { KillButton } from "@/components/kill-switches/kill-button";
import { ErrorState } from "@/components/ui/error-state";
import { PageHeader } from "@/components/ui/page-header";
import { SkeletonRows } from "@/components/ui/skeleton";
import { Status } from "@/components/ui/status";
import { Tabs } from "@/components/ui/tabs";
import { serverQuery } from "@/lib/client/servers";
import { CircuitStatus } from "./circuit-status";
import { DefinitionReviews } from "./definition-review";
import { HealthStatus } from "./health-status";
import { ServerActions } from "./server-actions";
import { ServerOverview } from "./server-overview";
import { ServerSettings } from "./server-settings";
import { ServerTools } from "./server-tools";
import { TryTool } from "./try-tool";

const TABS = ["overview", "figures", "tools", "try", "settings"] as const;

/** How often its state is asked for while one looks at it; not under somebody who types. */
const LOOK_MS = 10_000;

/** One server: what it is, what it offers, how it fares, and what can be done to it. */
export function ServerPage({ tenant, id }: { readonly tenant: string; readonly id: string }) {
  const [tab, setTab] = useQueryState("tab", parseAsStringLiteral(TABS).withDefault("overview"));
  const isLooking = tab === "overview" || tab === "figures";
  const query = useQuery({ ...serverQuery(tenant, id), refetchInterval: isLooking ? LOOK_MS : false });
  if (query.error) return <ErrorState error={query.error} onRetry={query.refetch} />;
  const server = query.data;
  if (!server) return <SkeletonRows label="Loading the server" />;
  return (
    <>
      <PageHeader
        title={server.name}
        purpose={
          <span className="flex flex-wrap items-center gap-x-4">
            <code className="font-mono text-xs">{server.slug}</code>
            <Status state={server.status} />
            {server.status === "enabled" ? <HealthStatus health={server.health} /> : null}
            <span className="flex items-center gap-1.5">
              circuit <CircuitStatus circuit={server.circuit} />
            </span>
            {server.description ? <span>{server.description}</span> : null}
          </span>
        }
        actions={
          <>
            <ServerActions tenant={tenant} server={server} />
            <KillButton tenant={tenant} kind="server" target={server.slug} name={server.name} />
          </>
        }
      />
      <Tabs
        label="Server"
        value={tab}
        onValueChange={(next) => setTab(TABS.find((known) => known === next) ?? null)}
        items={[
          { value: "overview", label: "Overview", content: <ServerOverview tenant={tenant} server={server} /> },
          {
            value: "figures",
            label: "Figures",
            content: <ServerFigures tenant={tenant} id={server.id} slug={server.slug} />,
          },
          {
            value: "tools",
            label: `Tools (${server.toolCount})`,
            content: (
              <div className="flex flex-col gap-6">
                <DefinitionReviews tenant={tenant} server={server} />
                <ServerTools tenant={tenant} server={server} />
              </div>
            ),
          },
          { value: "try", label: "Try a call", content: <TryTool tenant={tenant} server={server} /> },
          {
            value: "settings",
            label: "Settings",
            content: <ServerSettings key={server.id} tenant={tenant} server={server} />,
          },
        ]}
      />
    </>
  );
}
