import { type AppError, type ErrorCode, HTTP_STATUS, toAppError } from "@/lib/core/errors";
import { logger } from "@/lib/core/logger";
import type { Problem } from "@/lib/core/wire";

const TITLE: Record<ErrorCode, string> = {
  unauthenticated: "Not signed in",
  mfa_required: "A second factor is required",
  permission_denied: "Permission denied",
  not_found: "Not found",
  invalid_input: "Invalid input",
  invalid_arguments: "Invalid arguments",
  conflict: "Conflict",
  stale_version: "Changed by somebody else",
  definition_changed: "The definition changed",
  payload_too_large: "Too large",
  unsupported_media_type: "Unsupported media type",
  not_acceptable: "Not acceptable",
  method_not_allowed: "Method not allowed",
  rate_limited: "Too many requests",
  origin_refused: "Origin refused",
  egress_refused: "Address refused",
  server_disabled: "Server disabled",
  definition_held: "Definition held for review",
  killed: "Stopped by a kill switch",
  circuit_open: "Circuit open",
  overloaded: "Overloaded",
  upstream_unreachable: "Server unreachable",
  upstream_timeout: "Server timed out",
  upstream_protocol: "Server broke the protocol",
  upstream_error: "Server error",
  cancelled: "Cancelled",
  audit_unavailable: "Audit trail unavailable",
  unavailable: "Unavailable",
  internal: "Internal error",
};

/** The wire shape of a failure (RFC 9457). Causes stay behind. */
export function toProblem(error: AppError, requestId: string): Problem & { readonly entry?: string } {
  const { issues, missing, entry } = error.detail;
  return {
    type: `urn:countersign:error:${error.code}`,
    title: TITLE[error.code],
    status: HTTP_STATUS[error.code],
    detail: error.message,
    code: error.code,
    requestId,
    ...(issues === undefined ? {} : { issues }),
    ...(missing === undefined ? {} : { missing }),
    ...(entry === undefined ? {} : { entry }),
  };
}

/** Turns anything thrown into a problem+json response; what is our fault is logged with its cause. */
export function problemResponse(cause: unknown, requestId: string): Response {
  const error = toAppError(cause);
  if (HTTP_STATUS[error.code] >= 500)
    logger.error({ requestId, code: error.code, err: error.cause ?? error }, "request failed");
  const headers = new Headers({
    "content-type": "application/problem+json",
    "cache-control": "no-store",
    "x-request-id": requestId,
  });
  if (error.detail.retryAfterMs !== undefined) {
    headers.set("retry-after", String(Math.max(1, Math.ceil(error.detail.retryAfterMs / 1000))));
  }
  if (error.code === "unauthenticated") headers.set("www-authenticate", 'Bearer realm="countersign"');
  return new Response(JSON.stringify(toProblem(error, requestId)), { status: HTTP_STATUS[error.code], headers });
}
