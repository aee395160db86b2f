import {
  type ChangeChannelInput,
  type ChannelKind,
  type ChannelTarget,
  type ChannelView,
  type CreateChannelInput,
  createChannelInput,
  NOTICE_EVENTS,
  type NoticeEvent,
  type NoticeSeverity,
} from "@/lib/channels/schemas";
import { plainRules } from "@/lib/core/plain-rules";

export type ChannelValues = {
  readonly name: string;
  readonly kind: ChannelKind;
  readonly url: string;
  /** One address by line, or apart by commas. */
  readonly recipients: string;
  readonly minSeverity: NoticeSeverity;
  readonly events: readonly NoticeEvent[];
};

/** What the form begins with. An address is never known again: it stays unless a new one is typed. */
export const valuesOf = (edited: ChannelView | null): ChannelValues => ({
  name: edited?.name ?? "",
  kind: edited?.kind ?? "webhook",
  url: "",
  recipients: edited?.recipients.join("\n") ?? "",
  minSeverity: edited?.minSeverity ?? "warning",
  events: edited?.events ?? ["firing", "resolved"],
});

const toRecipients = (text: string): string[] =>
  text
    .split(/[\s,;]+/)
    .map((address) => address.trim())
    .filter((address) => address !== "");

const toTarget = ({ kind, url, recipients }: ChannelValues): ChannelTarget =>
  kind === "email" ? { kind, recipients: toRecipients(recipients) } : { kind, url: url.trim() };

/** Always told in one order, whatever was ticked first. */
const inOrder = (events: readonly NoticeEvent[]): NoticeEvent[] =>
  NOTICE_EVENTS.filter((event) => events.includes(event));

export function toCreateInput(values: ChannelValues): CreateChannelInput {
  const { name, minSeverity, events } = values;
  return { name, target: toTarget(values), minSeverity, events: inOrder(events) };
}

export function toChangeInput(values: ChannelValues, { id, version }: ChannelView): ChangeChannelInput {
  const { target, ...fields } = toCreateInput(values);
  const isKept = target.kind !== "email" && target.url === "";
  return { id, baseVersion: version, ...fields, ...(isKept ? {} : { target }) };
}

export type ChannelErrors = Partial<Record<keyof ChannelValues, string>>;

const FIELDS: Readonly<Record<string, keyof ChannelValues>> = {
  name: "name",
  "target.url": "url",
  "target.recipients": "recipients",
  "target.kind": "kind",
  minSeverity: "minSeverity",
  events: "events",
};

/** Rules by the field they are about; what belongs to no field is left to the caller. */
export function errorsOf(issues: readonly { readonly path: string; readonly rule: string }[]): ChannelErrors {
  const errors: ChannelErrors = {};
  for (const { path, rule } of issues) {
    const [field] = Object.entries(FIELDS).find(([prefix]) => path === prefix || path.startsWith(`${prefix}.`)) ?? [];
    if (field !== undefined) errors[FIELDS[field] as keyof ChannelValues] ??= rule;
  }
  return errors;
}

/** What the same rules as the server's say, before anything is sent. */
export function checkValues(values: ChannelValues, edited: ChannelView | null): ChannelErrors {
  const input = toCreateInput(values);
  const isKept = edited !== null && input.target.kind !== "email" && input.target.url === "";
  const checked = createChannelInput.safeParse(
    isKept ? { ...input, target: { kind: input.target.kind, url: "https://kept.invalid/" } } : input,
    plainRules,
  );
  return errorsOf((checked.error?.issues ?? []).map(({ path, message }) => ({ path: path.join("."), rule: message })));
}
