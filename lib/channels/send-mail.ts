import "server-only";
import { connect, type Socket } from "node:net";
import { createTransport } from "nodemailer";
import SMTPTransport from "nodemailer/lib/smtp-transport/index.js";
import { failureWords } from "@/lib/channels/failure-words";
import { mailOf, type Told } from "@/lib/channels/messages";
import type { Sent } from "@/lib/channels/sent";
import { AppError } from "@/lib/core/errors";
import { env } from "@/lib/env";

/** The settings without which no mail can be sent. */
export const missingForEmail = (): readonly string[] => {
  const { SMTP_URL, MAIL_FROM } = env();
  return [...(SMTP_URL === undefined ? ["SMTP_URL"] : []), ...(MAIL_FROM === undefined ? ["MAIL_FROM"] : [])];
};

type Settings = { readonly url: string; readonly from: string; readonly domain: string };

function mailSettings(): Settings {
  const { SMTP_URL: url, MAIL_FROM: from } = env();
  if (url === undefined || from === undefined) {
    throw new AppError("unavailable", `E-mail is not set up here: ${missingForEmail().join(" and ")} is missing.`);
  }
  return { url, from, domain: from.replace(/^.*@/, "").replace(/>$/, "") };
}

/** The library knows no deadline for the whole; whoever owns the socket can end everything that goes over it. */
const socketUntil =
  (signal: AbortSignal): NonNullable<SMTPTransport.Options["getSocket"]> =>
  ({ host, port, secure }, callback) => {
    const socket: Socket = connect({ host: host ?? "localhost", port: Number(port ?? (secure === true ? 465 : 587)) });
    const end = () => socket.destroy(new Error("Time is up."));
    const onError = (cause: Error) => callback(cause, undefined);
    socket.once("close", () => signal.removeEventListener("abort", end));
    socket.once("error", onError);
    socket.once("connect", () => {
      socket.off("error", onError);
      callback(null, { connection: socket });
    });
    signal.addEventListener("abort", end, { once: true });
  };

export type SendMail = { readonly told: Told; readonly recipients: readonly string[]; readonly deadlineMs: number };

/** Hands one mail to the mail server of the installation. What becomes of it there is that server's to say. */
export async function sendMail({ told, recipients, deadlineMs }: SendMail): Promise<Sent> {
  const signal = AbortSignal.timeout(deadlineMs);
  try {
    const { url, from, domain } = mailSettings();
    // Made here: createTransport would ignore every option that stands beside an address.
    const transport = createTransport(new SMTPTransport({ url, getSocket: socketUntil(signal) }));
    const info = await transport.sendMail({
      ...mailOf(told),
      from,
      to: [...recipients],
      messageId: `<${told.id}@${domain}>`,
      // Mails about one alert are one thread.
      ...(told.alertId === null ? {} : { references: `<${told.alertId}@${domain}>` }),
      headers: { "Auto-Submitted": "auto-generated" },
      disableFileAccess: true,
      disableUrlAccess: true,
    });
    const refused = info.rejected.length;
    return {
      delivered: true,
      status: Number(/^\d{3}/.exec(info.response)?.[0] ?? 250),
      error: refused === 0 ? null : `The mail server refused ${refused} of ${recipients.length} recipients.`,
    };
  } catch (cause) {
    return {
      delivered: false,
      status: replyCodeOf(cause),
      error: words(cause, signal, deadlineMs),
      final: false,
      retryAfterMs: null,
    };
  }
}

const words = (cause: unknown, { aborted, reason }: AbortSignal, deadlineMs: number): string =>
  failureWords(aborted ? reason : cause, deadlineMs);

function replyCodeOf(cause: unknown): number | null {
  const code = (cause as { responseCode?: unknown }).responseCode;
  return typeof code === "number" ? code : null;
}
