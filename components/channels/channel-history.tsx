"use client";
import { useInfiniteQuery } from "@tanstack/react-query";
import { noticeWords } from "@/components/channels/channel-words";
import { Button } from "@/components/ui/button";
import { Drawer } from "@/components/ui/drawer";
import { EmptyState } from "@/components/ui/empty-state";
import { ErrorState } from "@/components/ui/error-state";
import { formatDuration, formatPlural } from "@/components/ui/format";
import { SkeletonRows } from "@/components/ui/skeleton";
import { Status } from "@/components/ui/status";
import { Time } from "@/components/ui/time";
import type { AttemptView, ChannelView, NoticeView } from "@/lib/channels/schemas";
import { noticesQuery } from "@/lib/client/channels";

type Props = { readonly tenant: string; readonly channel: ChannelView; readonly onClose: () => void };

/** What a channel was told, newest first, and how each attempt went. */
export function ChannelHistory({ tenant, channel, onClose }: Props) {
  const query = useInfiniteQuery(noticesQuery(tenant, channel.id));
  const notices = query.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Drawer open onOpenChange={(open) => !open && onClose()} title={`Told to ${channel.name}`}>
      {query.error !== null && query.data === undefined ? (
        <ErrorState title="The history could not be loaded" error={query.error} onRetry={query.refetch} />
      ) : query.data === undefined ? (
        <SkeletonRows label="Loading the history" />
      ) : notices.length === 0 ? (
        <EmptyState title="Nothing told yet" why="Each notice will be here, with every attempt to deliver it." />
      ) : (
        <div className="flex flex-col gap-4">
          <ul className="flex flex-col divide-y divide-line">
            {notices.map((notice) => (
              <NoticeItem key={notice.id} notice={notice} />
            ))}
          </ul>
          {query.hasNextPage ? (
            <Button
              className="self-start"
              pending={query.isFetchingNextPage}
              onClick={() => void query.fetchNextPage()}
            >
              Load older
            </Button>
          ) : null}
        </div>
      )}
    </Drawer>
  );
}

function NoticeState({ notice }: { readonly notice: NoticeView }) {
  if (notice.state === "delivered") return <Status state="success">delivered</Status>;
  if (notice.state === "failed")
    return <Status state="failure">{notice.event === "test" ? "not delivered" : "given up"}</Status>;
  return <Status state="pending">waiting</Status>;
}

function NoticeItem({ notice }: { readonly notice: NoticeView }) {
  return (
    <li className="flex flex-col gap-1 py-3 text-sm">
      <div className="flex flex-wrap items-baseline justify-between gap-x-3">
        <span className="min-w-0 font-medium break-words">{noticeWords(notice)}</span>
        <NoticeState notice={notice} />
      </div>
      <p className="text-xs text-muted">
        <Time iso={notice.createdAt} show="both" />
        {notice.nextAt ? (
          <>
            {" · next attempt "}
            <Time iso={notice.nextAt} />
          </>
        ) : null}
      </p>
      {notice.log.length === 0 ? null : (
        <ol className="flex flex-col gap-0.5 text-xs" aria-label={`Attempts at ${noticeWords(notice)}`}>
          {notice.log.map((attempt) => (
            <AttemptItem
              key={attempt.number}
              attempt={attempt}
              isLast={attempt.number === notice.attempts}
              notice={notice}
            />
          ))}
        </ol>
      )}
      {notice.attempts > notice.log.length ? (
        <p className="text-xs text-muted">
          {formatPlural(notice.attempts - notice.log.length, "earlier attempt", "earlier attempts")}
        </p>
      ) : null}
    </li>
  );
}

type AttemptProps = { readonly attempt: AttemptView; readonly isLast: boolean; readonly notice: NoticeView };

function AttemptItem({ attempt, isLast, notice }: AttemptProps) {
  const { number, at, delivered, durationMs, status, error } = attempt;
  const under = isLast && notice.state === "waiting";
  const word =
    delivered === null
      ? under
        ? "under way, or cut off"
        : "cut off: the process ended"
      : delivered
        ? "delivered"
        : "not delivered";
  const figures = [
    status === null ? null : `status ${status}`,
    durationMs === null ? null : formatDuration(durationMs),
  ];
  return (
    <li className="flex flex-wrap gap-x-2">
      <span className="tabular-nums">{number}.</span>
      <Time iso={at} show="exact" className="text-muted tabular-nums" />
      <span>{[word, ...figures].filter((part) => part !== null).join(", ")}</span>
      {error ? <span className="text-muted">{error}</span> : null}
    </li>
  );
}
