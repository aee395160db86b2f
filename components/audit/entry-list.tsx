"use client";
import { useInfiniteQuery } from "@tanstack/react-query";
import { type AuditParams, type FilterChange, filterOf, NO_FILTER } from "@/components/audit/audit-params";
import { EntryTable } from "@/components/audit/entry-table";
import { Button } from "@/components/ui/button";
import { cn } from "@/components/ui/cn";
import { EmptyState } from "@/components/ui/empty-state";
import { ErrorState } from "@/components/ui/error-state";
import { formatPlural } from "@/components/ui/format";
import { SkeletonRows } from "@/components/ui/skeleton";
import { entriesQuery } from "@/lib/client/audit";

type Props = {
  readonly tenant: string;
  readonly params: AuditParams;
  readonly onFilter: (change: FilterChange) => void;
  readonly hrefOf: (id: string) => string;
  readonly onOpen: (id: string) => void;
};

function Nothing({ filtered, onFilter }: { readonly filtered: boolean; readonly onFilter: Props["onFilter"] }) {
  if (!filtered) {
    return (
      <EmptyState
        title="Nothing is recorded yet"
        why="Every tool call, refusal, change and sign-in of this tenant will be here, newest first."
      />
    );
  }
  return (
    <EmptyState
      title="No entry matches"
      why="The trail holds entries, but none that fits all of these filters."
      action={<Button onClick={() => onFilter(NO_FILTER)}>Clear all filters</Button>}
    />
  );
}

/** The entries the address asks for, page after older page. */
export function EntryList({ tenant, params, onFilter, hrefOf, onOpen }: Props) {
  const filter = filterOf(params);
  const query = useInfiniteQuery(entriesQuery(tenant, filter));
  const entries = query.data?.pages.flatMap((page) => page.items) ?? [];
  if (query.error !== null && query.data === undefined) {
    const filtered = Object.keys(filter).length > 0;
    return (
      <ErrorState
        title="The trail could not be read"
        error={query.error}
        onRetry={query.refetch}
        action={filtered ? <Button onClick={() => onFilter(NO_FILTER)}>Clear all filters</Button> : undefined}
      />
    );
  }
  if (query.data === undefined) return <SkeletonRows rows={12} label="Loading entries" />;
  if (entries.length === 0) return <Nothing filtered={Object.keys(filter).length > 0} onFilter={onFilter} />;
  return (
    <div className={cn("flex flex-col gap-3", query.isPlaceholderData && "opacity-70")} aria-busy={query.isFetching}>
      <EntryTable entries={entries} openId={params.entry} hrefOf={hrefOf} onOpen={onOpen} />
      <div className="flex flex-wrap items-center gap-3 text-sm text-muted">
        <p role="status">
          {formatPlural(entries.length, "entry", "entries")}
          {query.hasNextPage ? ", and there are older ones" : ", the oldest is the last"}
        </p>
        {query.hasNextPage ? (
          <Button pending={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            Load older
          </Button>
        ) : null}
      </div>
      {query.isFetchNextPageError ? (
        <ErrorState error={query.error} onRetry={() => void query.fetchNextPage()} />
      ) : null}
    </div>
  );
}
