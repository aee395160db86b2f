import { formatDuration } from "@/components/ui/format";
import type { ChannelKind, ChannelView, NoticeEvent, NoticeView, TestResult } from "@/lib/channels/schemas";

export const KIND_WORDS: Readonly<Record<ChannelKind, string>> = {
  webhook: "Webhook",
  slack: "Slack-compatible",
  email: "E-mail",
};

export const EVENT_WORDS: Readonly<Record<NoticeEvent, string>> = {
  firing: "it fires",
  resolved: "it is over",
  acknowledged: "somebody acknowledges it",
};

const SHORT: Readonly<Record<NoticeView["event"], string>> = {
  firing: "firing",
  resolved: "resolved",
  acknowledged: "acknowledged",
  test: "test",
};

/** `Resolved: billing is slow`. */
export const noticeWords = ({ event, title }: Pick<NoticeView, "event" | "title">): string =>
  `${SHORT[event].slice(0, 1).toUpperCase()}${SHORT[event].slice(1)}: ${title}`;

/** `every severity · firing, resolved`. */
export const hearsWords = ({ minSeverity, events }: Pick<ChannelView, "minSeverity" | "events">): string =>
  `${minSeverity === "critical" ? "critical only" : "every severity"} · ${events.map((event) => SHORT[event]).join(", ")}`;

/** Where it leads, as far as that may be seen. */
export function addressWords({
  kind,
  address,
  recipients,
}: Pick<ChannelView, "kind" | "address" | "recipients">): string {
  if (kind !== "email") return address;
  const [first = "", ...rest] = recipients;
  return rest.length === 0 ? first : `${first} and ${rest.length} more`;
}

/** What came of a test, as a sentence or two, with its figures. */
export function testWords(name: string, { delivered, status, durationMs, error }: TestResult): string {
  const isSaid = status === null || error?.includes(String(status)) === true;
  const figures = isSaid ? formatDuration(durationMs) : `${formatDuration(durationMs)}, status ${status}`;
  const first = delivered
    ? `The test of ${name} was delivered in ${figures}.`
    : `The test of ${name} was not delivered (${figures}).`;
  return error === null ? first : `${first} ${error}`;
}
