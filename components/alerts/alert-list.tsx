"use client";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { AlertTable } from "@/components/alerts/alert-table";
import { useMay } from "@/components/shell/me-context";
import { Button } from "@/components/ui/button";
import { cn } from "@/components/ui/cn";
import { EmptyState } from "@/components/ui/empty-state";
import { ErrorState } from "@/components/ui/error-state";
import { formatPlural } from "@/components/ui/format";
import { Select } from "@/components/ui/select";
import { SkeletonRows } from "@/components/ui/skeleton";
import { alertsQuery } from "@/lib/client/alerts";
import { serversQuery } from "@/lib/client/servers";

type Props = {
  readonly tenant: string;
  readonly state: "open" | "all";
  readonly server: string | null;
  readonly openId: string | null;
  readonly hrefOf: (id: string) => string;
  readonly onOpen: (id: string) => void;
  readonly onServer: (server: string | null) => void;
};

function ServerFilter({ tenant, server, onServer }: Pick<Props, "tenant" | "server" | "onServer">) {
  const { data } = useQuery({ ...serversQuery(tenant), enabled: useMay("servers:read") });
  // A server that is gone may still have alerts.
  const names = new Set([...(data ?? []).map(({ slug }) => slug), ...(server === null ? [] : [server])]);
  return (
    <Select
      aria-label="Server"
      value={server ?? ""}
      onValueChange={(next) => onServer(next === "" ? null : next)}
      options={[{ value: "", label: "Any server" }, ...[...names].map((name) => ({ value: name, label: name }))]}
      className="w-52"
    />
  );
}

function Nothing({ state, server, onServer }: Pick<Props, "state" | "server" | "onServer">) {
  if (server !== null)
    return (
      <EmptyState
        title={`No ${state === "open" ? "open alert" : "alert"} of ${server}`}
        why="The other servers may have some."
        action={<Button onClick={() => onServer(null)}>Show every server</Button>}
      />
    );
  return state === "open" ? (
    <EmptyState
      title="No open alert"
      why="No rule is broken now. A rule without enough calls to judge cannot be broken: that is no proof that all is well."
    />
  ) : (
    <EmptyState
      title="No alert yet"
      why="Each time a rule is broken it will be here, with what happened until it was well again."
    />
  );
}

/** Alerts, open ones first, page after older page. */
export function AlertList(props: Props) {
  const { tenant, state, server, openId, hrefOf, onOpen } = props;
  const query = useInfiniteQuery(alertsQuery(tenant, { state, server }));
  const alerts = query.data?.pages.flatMap((page) => page.items) ?? [];
  if (query.error !== null && query.data === undefined)
    return <ErrorState title="The alerts could not be loaded" error={query.error} onRetry={query.refetch} />;
  if (query.data === undefined) return <SkeletonRows label="Loading alerts" />;
  return (
    <div className={cn("flex flex-col gap-3", query.isPlaceholderData && "opacity-70")}>
      {alerts.length === 0 && server === null ? null : <ServerFilter {...props} />}
      {alerts.length === 0 ? (
        <Nothing {...props} />
      ) : (
        <>
          <AlertTable
            label={state === "open" ? "Open alerts" : "Alerts, open ones first"}
            alerts={alerts}
            openId={openId}
            hrefOf={hrefOf}
            onOpen={onOpen}
          />
          <div className="flex flex-wrap items-center gap-3 text-sm text-muted">
            <p role="status">{formatPlural(alerts.length, "alert", "alerts")}</p>
            {query.hasNextPage ? (
              <Button pending={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
                Load older
              </Button>
            ) : null}
          </div>
        </>
      )}
      {query.isFetchNextPageError ? (
        <ErrorState error={query.error} onRetry={() => void query.fetchNextPage()} />
      ) : null}
    </div>
  );
}
