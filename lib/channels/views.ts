import type {
  AttemptView,
  ChannelKind,
  ChannelView,
  NoticeEvent,
  NoticeSeverity,
  NoticeState,
  NoticeView,
} from "@/lib/channels/schemas";
import type { AlertChannel, AlertNotice, AlertNoticeAttempt } from "@/lib/generated/prisma/client";

export type ChannelCounts = {
  readonly waiting: number;
  readonly failed: number;
  readonly last: { readonly state: NoticeState; readonly at: Date; readonly error: string | null } | null;
};

/** A row as the wire shows it. The sealed address is no part of it. */
export const toChannelView = (
  row: Omit<AlertChannel, "secret" | "secretKeyId">,
  { waiting, failed, last }: ChannelCounts,
): ChannelView => ({
  id: row.id,
  name: row.name,
  kind: row.kind as ChannelKind,
  enabled: row.enabled,
  address: row.shown,
  recipients: row.recipients,
  minSeverity: row.minSeverity as NoticeSeverity,
  events: row.events as NoticeEvent[],
  waiting,
  failed,
  last: last === null ? null : { state: last.state, at: last.at.toISOString(), error: last.error },
  version: row.version,
  createdAt: row.createdAt.toISOString(),
  updatedAt: row.updatedAt.toISOString(),
});

const toAttemptView = ({ number, at, delivered, durationMs, status, error }: AlertNoticeAttempt): AttemptView => ({
  ...{ number, at: at.toISOString(), delivered, durationMs, status, error },
});

export const toNoticeView = (row: AlertNotice & { readonly log: readonly AlertNoticeAttempt[] }): NoticeView => ({
  id: row.id,
  alertId: row.alertId,
  event: row.event as NoticeView["event"],
  severity: row.severity as NoticeSeverity,
  title: row.title,
  state: row.state as NoticeState,
  createdAt: row.createdAt.toISOString(),
  nextAt: row.state === "waiting" ? row.nextAt.toISOString() : null,
  endedAt: row.endedAt?.toISOString() ?? null,
  error: row.error,
  attempts: row.attempts,
  log: row.log.map(toAttemptView),
});
