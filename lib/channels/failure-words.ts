import { isAppError } from "@/lib/core/errors";

/** Answers that will not get better by asking again. */
export const GONE = 410;

const WORDS: Readonly<Record<string, string>> = {
  ENOTFOUND: "Its name could not be resolved.",
  EAI_AGAIN: "Its name could not be resolved.",
  EDNS: "Its name could not be resolved.",
  ECONNREFUSED: "The connection was refused.",
  ECONNRESET: "The connection was closed before it answered.",
  EPIPE: "The connection was closed before it answered.",
  UND_ERR_SOCKET: "The connection was closed before it answered.",
  UND_ERR_CONNECT_TIMEOUT: "It could not be reached in time.",
  ETIMEDOUT: "It could not be reached in time.",
  EHOSTUNREACH: "It could not be reached.",
  ENETUNREACH: "It could not be reached.",
  EAUTH: "The mail server refused the user or password of SMTP_URL.",
  ENOAUTH: "The mail server refused the user or password of SMTP_URL.",
  EENVELOPE: "The mail server refused the sender or every recipient.",
  EMESSAGE: "The mail server refused the message.",
  ETLS: "The mail server and we could not agree on TLS.",
};

const CERTIFICATE = /CERT|^ERR_TLS|^ERR_SSL|^UNABLE_TO|^EPROTO$/;

function codeOf(cause: unknown): string {
  if (typeof cause !== "object" || cause === null) return "";
  const { code, cause: inner } = cause as { code?: unknown; cause?: unknown };
  return typeof code === "string" ? code : inner === undefined ? "" : codeOf(inner);
}

/** Why nothing was delivered, in words of ours: messages of libraries may hold addresses, and those are secrets. */
export function failureWords(cause: unknown, deadlineMs: number): string {
  if (isAppError(cause)) return cause.message;
  const name = cause instanceof Error || cause instanceof DOMException ? cause.name : "";
  if (name === "TimeoutError") return `There was no answer within ${deadlineMs / 1_000} s.`;
  const code = codeOf(cause);
  if (CERTIFICATE.test(code)) return "Its certificate is not trusted, or is not for this name.";
  return WORDS[code] ?? "The connection failed.";
}

/** What an HTTP status other than success says. */
export function statusWords(status: number): string {
  if (status >= 300 && status < 400) return `It answered ${status}, a redirect, and those are not followed.`;
  return status === GONE ? "It answered 410: this address is gone for good." : `It answered ${status}.`;
}
