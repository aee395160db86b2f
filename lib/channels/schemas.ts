export const CHANNEL_KINDS = ["webhook", "slack", "email"] as const;
export type ChannelKind = (typeof CHANNEL_KINDS)[number];

/** What an alert does that a channel may be told of. */
export const NOTICE_EVENTS = ["firing", "resolved", "acknowledged"] as const;
export type NoticeEvent = (typeof NOTICE_EVENTS)[number];

export const NOTICE_SEVERITIES = ["warning", "critical"] as const;
export type NoticeSeverity = (typeof NOTICE_SEVERITIES)[number];

/** One message about an alert, before it is known which channels it goes to. */
export type Notice = {
  readonly alertId: string;
  readonly event: NoticeEvent;
  readonly severity: NoticeSeverity;
  readonly title: string;
  readonly text: string;
  readonly server: string | null;
  readonly tool: string | null;
  readonly value: number | null;
  readonly threshold: number | null;
  /** When it happened, ISO 8601. */
  readonly at: string;
};
