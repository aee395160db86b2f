/** Every way a request can fail, as one closed set. Each edge (HTTP, MCP, UI) has one total table over it. */
export const ERROR_CODES = [
  "unauthenticated",
  "mfa_required",
  "permission_denied",
  "not_found",
  "invalid_input",
  "invalid_arguments",
  "conflict",
  "stale_version",
  "definition_changed",
  "payload_too_large",
  "unsupported_media_type",
  "not_acceptable",
  "method_not_allowed",
  "rate_limited",
  "origin_refused",
  "egress_refused",
  "server_disabled",
  "definition_held",
  "killed",
  "circuit_open",
  "overloaded",
  "upstream_unreachable",
  "upstream_timeout",
  "upstream_protocol",
  "upstream_error",
  "cancelled",
  "audit_unavailable",
  "unavailable",
  "internal",
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/** One rejected field: `path` as in the input (`args.0`), `rule` in words. */
export type FieldIssue = { readonly path: string; readonly rule: string };

export type ErrorDetail = {
  readonly issues?: readonly FieldIssue[];
  /** The permission the caller would need. */
  readonly missing?: string;
  readonly retryAfterMs?: number;
  /** The audit entry that recorded this refusal. */
  readonly entry?: string;
  readonly [key: string]: unknown;
};

const BRAND = Symbol.for("countersign.app-error");

/** A failure with a stable code and a message that is safe to show. The cause is for the log only. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly detail: ErrorDetail;
  readonly [BRAND] = true;

  constructor(code: ErrorCode, message: string, detail: ErrorDetail = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "AppError";
    this.code = code;
    this.detail = detail;
  }
}

/** True for an AppError of any copy of this module: the server bundle and Next's bundles each hold one. */
export function isAppError(value: unknown): value is AppError {
  return typeof value === "object" && value !== null && BRAND in value;
}

/** Turns anything thrown into an AppError; an unknown cause keeps its cause and loses its message. */
export function toAppError(cause: unknown): AppError {
  if (isAppError(cause)) return cause;
  return new AppError("internal", "Something went wrong on our side.", {}, cause);
}

export const HTTP_STATUS = {
  unauthenticated: 401,
  mfa_required: 403,
  permission_denied: 403,
  not_found: 404,
  invalid_input: 422,
  invalid_arguments: 422,
  conflict: 409,
  stale_version: 412,
  definition_changed: 409,
  payload_too_large: 413,
  unsupported_media_type: 415,
  not_acceptable: 406,
  method_not_allowed: 405,
  rate_limited: 429,
  origin_refused: 403,
  egress_refused: 422,
  server_disabled: 503,
  definition_held: 409,
  killed: 403,
  circuit_open: 503,
  overloaded: 503,
  upstream_unreachable: 502,
  upstream_timeout: 504,
  upstream_protocol: 502,
  upstream_error: 502,
  cancelled: 499,
  audit_unavailable: 503,
  unavailable: 503,
  internal: 500,
} as const satisfies Record<ErrorCode, number>;
