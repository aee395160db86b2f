import { z } from "zod";
import { cursor, type Page } from "@/lib/core/wire";

export const CHANNEL_KINDS = ["webhook", "slack", "email"] as const;
export type ChannelKind = (typeof CHANNEL_KINDS)[number];

/** What an alert does that a channel may be told of. */
export const NOTICE_EVENTS = ["firing", "resolved", "acknowledged"] as const;
export type NoticeEvent = (typeof NOTICE_EVENTS)[number];

export const NOTICE_SEVERITIES = ["warning", "critical"] as const;
export type NoticeSeverity = (typeof NOTICE_SEVERITIES)[number];

export const NOTICE_STATES = ["waiting", "delivered", "failed"] as const;
export type NoticeState = (typeof NOTICE_STATES)[number];

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

const name = z.string().trim().min(1, "must not be empty").max(60, "must have at most 60 characters");
const hasPassword = (text: string): boolean =>
  URL.canParse(text) && (new URL(text).username !== "" || new URL(text).password !== "");
const url = z
  .url({ protocol: /^https?$/, error: "must be an http or https address" })
  .max(2_000)
  .refine((text) => !hasPassword(text), "must not hold a user or password");
const recipients = z
  .array(z.email("must be an e-mail address").max(254))
  .min(1, "name at least one recipient")
  .max(20)
  .transform((all) => [...new Set(all)]);
const events = z.array(z.enum(NOTICE_EVENTS)).min(1, "choose at least one").max(NOTICE_EVENTS.length);
const minSeverity = z.enum(NOTICE_SEVERITIES);

/** Where notices go. An address is a secret: it is sealed, and what is shown of it is its host. */
export const channelTarget = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("webhook"), url }),
  z.object({ kind: z.literal("slack"), url }),
  z.object({ kind: z.literal("email"), recipients }),
]);
export type ChannelTarget = z.output<typeof channelTarget>;

/** POST /api/v1/alert-channels */
export const createChannelInput = z.object({
  name,
  target: channelTarget,
  minSeverity: minSeverity.default("warning"),
  events: events.default(["firing", "resolved"]),
});
export type CreateChannelInput = z.input<typeof createChannelInput>;

/** PATCH /api/v1/alert-channels/{id}: on top of `baseVersion`, or stale_version. A target replaces one of the same kind. */
export const changeChannelInput = z.object({
  id: z.uuid(),
  baseVersion: z.number().int().min(1),
  name: name.optional(),
  enabled: z.boolean().optional(),
  minSeverity: minSeverity.optional(),
  events: events.optional(),
  target: channelTarget.optional(),
});
export type ChangeChannelInput = z.input<typeof changeChannelInput>;

/** DELETE /api/v1/alert-channels/{id} */
export const deleteChannelInput = z.object({ id: z.uuid(), reason: z.string().trim().max(500).optional() });

/** POST /api/v1/alert-channels/{id}/test and …/secret */
export const channelRef = z.object({ id: z.uuid() });

/** GET /api/v1/alert-channels/{id}/notices: newest first. */
export const listNoticesInput = z.object({
  id: z.uuid(),
  limit: z.coerce.number().int().min(1).max(100).default(25),
  cursor,
});

export type ChannelView = {
  readonly id: string;
  readonly name: string;
  readonly kind: ChannelKind;
  readonly enabled: boolean;
  /** What may be seen of the address: its host; empty for e-mail. */
  readonly address: string;
  readonly recipients: readonly string[];
  readonly minSeverity: NoticeSeverity;
  readonly events: readonly NoticeEvent[];
  /** Notices that are still to be delivered. */
  readonly waiting: number;
  /** Given up within the last 24 hours, tests left out. */
  readonly failed: number;
  readonly last: {
    readonly state: NoticeState;
    readonly at: string;
    readonly error: string | null;
  } | null;
  readonly version: number;
  readonly createdAt: string;
  readonly updatedAt: string;
};

/** GET /api/v1/alert-channels */
export type ChannelList = Page<ChannelView> & {
  /** Settings of the installation without which no mail can be sent; empty where it can. */
  readonly missingForEmail: readonly string[];
};

/** Answer of creating and of rotating: the only time a signing secret is shown; null for channels without one. */
export type ChannelWithSecret = ChannelView & { readonly secret: string | null };

/** Answer of the test button. */
export type TestResult = {
  readonly noticeId: string;
  readonly delivered: boolean;
  /** HTTP status, or the reply code of the mail server; null where there was none. */
  readonly status: number | null;
  readonly durationMs: number;
  /** What went wrong, or what was odd about it, as a sentence. */
  readonly error: string | null;
};

export type AttemptView = {
  readonly number: number;
  readonly at: string;
  /** null while it lasts, and where the process ended meanwhile: then it is made again with the same id. */
  readonly delivered: boolean | null;
  readonly durationMs: number | null;
  readonly status: number | null;
  readonly error: string | null;
};

export type NoticeView = {
  readonly id: string;
  readonly alertId: string | null;
  readonly event: NoticeEvent | "test";
  readonly severity: NoticeSeverity;
  readonly title: string;
  readonly state: NoticeState;
  readonly createdAt: string;
  /** When it is tried next; null once it is delivered or given up. */
  readonly nextAt: string | null;
  readonly endedAt: string | null;
  readonly error: string | null;
  /** How often it was tried in all; `log` holds the latest of them. */
  readonly attempts: number;
  readonly log: readonly AttemptView[];
};
