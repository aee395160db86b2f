import type { NoticeEvent, NoticeSeverity } from "@/lib/channels/schemas";

/** A notice as it is told, whatever the channel. */
export type Told = {
  readonly id: string;
  readonly alertId: string | null;
  readonly event: NoticeEvent | "test";
  readonly severity: NoticeSeverity;
  readonly title: string;
  readonly text: string;
  readonly server: string | null;
  readonly tool: string | null;
  readonly value: number | null;
  readonly threshold: number | null;
  readonly at: Date;
  /** Slug of the tenant. */
  readonly tenant: string;
  /** Where it is seen in the console. */
  readonly url: string;
};

/** Counts up only when a receiver that reads today's body would misread the new one. */
const SCHEMA_VERSION = 1;

const oneLine = (text: string): string => text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ").trim();

function word({ event, severity }: Told): string {
  if (event !== "firing") return event === "test" ? "Test" : event === "resolved" ? "Resolved" : "Acknowledged";
  return severity === "critical" ? "Critical" : "Warning";
}

const headline = (told: Told): string => oneLine(`${word(told)}: ${told.title}`);

const subject = ({ server, tool }: Told): string | null =>
  server === null ? tool : [server, tool].filter(Boolean).join(" / ");

const utc = (at: Date): string => `${at.toISOString().slice(0, 19).replace("T", " ")} UTC`;

/** Body of a webhook: documented in docs/channels.md and only ever added to. */
export function webhookBody(told: Told): string {
  const { id, event, at, tenant, url, alertId, severity, title, text, server, tool, value, threshold } = told;
  return JSON.stringify({
    version: SCHEMA_VERSION,
    type: event === "test" ? "channel.test" : `alert.${event}`,
    id,
    timestamp: at.toISOString(),
    tenant,
    data: { alertId, severity, title, text, server, tool, value, threshold, url },
  });
}

/** What has a meaning of its own in Slack's mrkdwn. */
const slackText = (text: string): string =>
  text.slice(0, 2_000).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** Body of a Slack-compatible incoming webhook: `text` for those who know no blocks. */
export function slackBody(told: Told): string {
  const about = [subject(told), told.tenant, utc(told.at)].filter((part) => part !== null).map(slackText);
  return JSON.stringify({
    text: slackText(`${headline(told)}\n${told.text}`),
    blocks: [
      { type: "section", text: { type: "mrkdwn", text: `*${slackText(headline(told))}*\n${slackText(told.text)}` } },
      { type: "context", elements: [{ type: "mrkdwn", text: `${about.join(" · ")} · <${told.url}|Open the alert>` }] },
    ],
  });
}

export type Mail = { readonly subject: string; readonly text: string; readonly html: string };

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};
const html = (text: string): string => text.replace(/[&<>"']/g, (sign) => ENTITIES[sign] ?? sign);

/** The same as plain text and as HTML that asks for nothing from anywhere. */
export function mailOf(told: Told): Mail {
  const facts: [string, string][] = [];
  if (told.server !== null) facts.push(["Server", told.server]);
  if (told.tool !== null) facts.push(["Tool", told.tool]);
  facts.push(["Tenant", told.tenant], ["Time", utc(told.at)]);
  const lines = facts.map(([name, value]) => `${name}: ${oneLine(value)}`);
  const rows = facts.map(
    ([name, value]) => `<tr><td style="color:#555;padding-right:12px">${name}</td><td>${html(value)}</td></tr>`,
  );
  return {
    subject: headline(told).slice(0, 200),
    text: `${told.text}\n\n${lines.join("\n")}\n\n${told.url}\n`,
    html: `<div style="font-family:sans-serif;font-size:14px"><p><strong>${html(headline(told))}</strong></p><p>${html(told.text)}</p><table style="font-size:14px">${rows.join("")}</table><p><a href="${html(told.url)}">Open in the console</a></p></div>`,
  };
}
