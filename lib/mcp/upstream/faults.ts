import { AppError, isAppError } from "@/lib/core/errors";
import { isRecord, type Json } from "@/lib/mcp/upstream/protocol";
import type { Vote } from "@/lib/resilience/circuit";
import type { EndCause } from "@/lib/resilience/deadline";

/** Every way a server can fail us, as one of four codes. Messages are for agents and people; causes are for the log. */
export const unreachable = (why: string, cause?: unknown): AppError =>
  new AppError("upstream_unreachable", `The server could not be reached: ${why}.`, {}, cause);

export const broken = (why: string, cause?: unknown): AppError =>
  new AppError("upstream_protocol", `The server's answer could not be used: ${why}.`, {}, cause);

/** We could not hold it, which is no fault of the server's: others may hold the memory. */
const SHORT_OF_MEMORY = new Error("too many large answers");
export const notHeld = (): AppError => {
  const text =
    "The server's answer could not be used: too many large answers are held at the moment. Try again shortly.";
  return new AppError("upstream_protocol", text, { retryAfterMs: 1_000 }, SHORT_OF_MEMORY);
};

/** True where it was we who had no room for what the server said. */
export const isNotHeld = (error: AppError): boolean => error.cause === SHORT_OF_MEMORY;

export const httpRefusal = (status: number): AppError =>
  new AppError("upstream_error", `The server answered with HTTP status ${status}.`, { httpStatus: status });

/** The call was over before the answer came. */
export function stopped(cause: EndCause): AppError {
  if (cause === "killed") return new AppError("killed", "A kill switch ended the call. It may have had an effect.");
  return cause === "timeout"
    ? new AppError("upstream_timeout", "The server did not answer in time.")
    : new AppError("cancelled", "The caller cancelled the call.");
}

/** The server answered with a JSON-RPC error. */
export function rpcRefusal(error: Json, httpStatus?: number): AppError {
  const rpcCode = typeof error["code"] === "number" ? error["code"] : -32603;
  const text = typeof error["message"] === "string" ? error["message"].slice(0, 2_000) : "";
  const detail = {
    rpcCode,
    ...(httpStatus === undefined ? {} : { httpStatus }),
    ...(isSmall(error["data"]) ? { rpcData: error["data"] } : {}),
  };
  return new AppError("upstream_error", text === "" ? "The server refused the call." : text, detail);
}

/** What a server adds to its refusal is passed on where it is an object of reasonable size. */
const isSmall = (data: unknown): data is Json => isRecord(data) && JSON.stringify(data).length <= 4_096;

const CONNECT_FAULTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset",
  ENOTFOUND: "its name does not resolve",
  EAI_AGAIN: "its name does not resolve now",
  EHOSTUNREACH: "no route to it",
  ENETUNREACH: "no route to it",
  ETIMEDOUT: "connecting took too long",
  UND_ERR_CONNECT_TIMEOUT: "connecting took too long",
  UND_ERR_SOCKET: "the connection broke",
  EPIPE: "the connection broke",
};

const nameOf = (value: unknown): string => (value instanceof Error ? value.name : "");

/** Turns what the HTTP client throws into one of ours. */
export function connectionFault(cause: unknown): AppError {
  const root = cause instanceof AggregateError ? cause.errors[0] : cause;
  if (isAppError(root)) return root;
  const code = String((root as { code?: unknown } | null)?.code ?? "");
  // The parser's errors carry a code only now and then.
  if (code.startsWith("HPE_") || nameOf(root) === "HTTPParserError") return broken("it does not speak HTTP", cause);
  if (code === "UND_ERR_HEADERS_OVERFLOW") return broken("its headers are too large", cause);
  if (/CERT|TLS|SSL|SELF_SIGNED|ALTNAME/.test(code)) return unreachable("its certificate is not trusted", cause);
  return unreachable(CONNECT_FAULTS[code] ?? "the connection failed", cause);
}

/**
 * What a failed call says about the server's health. An answered refusal is a sign of life: if it counted, a caller could
 * open the circuit with bad arguments. What we refused, or the caller cancelled, says nothing.
 */
export function voteOf(error: AppError): Vote {
  switch (error.code) {
    case "upstream_unreachable":
    case "upstream_timeout":
      return "failure";
    case "upstream_protocol":
      return isNotHeld(error) ? "abstain" : "failure";
    case "upstream_error": {
      if (typeof error.detail["rpcCode"] === "number") return "success";
      const status = Number(error.detail["httpStatus"] ?? 0);
      return status >= 500 || status === 429 || status === 408 ? "failure" : "abstain";
    }
    default:
      return "abstain";
  }
}
