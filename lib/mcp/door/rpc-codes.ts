import type { ErrorCode } from "@/lib/core/errors";

/** JSON-RPC codes of ours lie in -32000…-32019; -32002 belongs to older revisions and is never used. */
export const RPC_CODE = {
  unauthenticated: -32001,
  mfa_required: -32001,
  permission_denied: -32003,
  not_found: -32004,
  invalid_input: -32602,
  invalid_arguments: -32602,
  conflict: -32000,
  stale_version: -32000,
  definition_changed: -32000,
  payload_too_large: -32005,
  unsupported_media_type: -32006,
  not_acceptable: -32007,
  method_not_allowed: -32000,
  rate_limited: -32008,
  origin_refused: -32009,
  egress_refused: -32010,
  server_disabled: -32011,
  definition_held: -32000,
  killed: -32011,
  circuit_open: -32012,
  overloaded: -32013,
  upstream_unreachable: -32014,
  upstream_timeout: -32015,
  upstream_protocol: -32016,
  upstream_error: -32017,
  cancelled: -32018,
  audit_unavailable: -32019,
  unavailable: -32019,
  internal: -32603,
} as const satisfies Record<ErrorCode, number>;

/** Codes of the protocol itself. */
export const RPC = {
  parseError: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  headerMismatch: -32020,
  missingCapability: -32021,
  unsupportedVersion: -32022,
} as const;

/** Refusals an agent can act on: they come as a result that its model reads, not as an error of the transport. */
export const TOLD_TO_THE_AGENT: ReadonlySet<ErrorCode> = new Set([
  "permission_denied",
  "not_found",
  "invalid_arguments",
  "rate_limited",
  "definition_held",
  "killed",
  "circuit_open",
  "overloaded",
  "server_disabled",
  "upstream_timeout",
]);

/** What each code means and what to do about it; served as `/api/mcp/errors.md`, where `data.docs` points. */
export const MEANING = {
  unauthenticated:
    "The key is missing, unknown, revoked or expired. Send `Authorization: Bearer cs_…` with a valid key.",
  mfa_required: "A second factor is needed.",
  permission_denied:
    "The agent lacks the permission named in `missing`. An admin of the tenant can grant it. A tool that does not exist is refused in the same way.",
  not_found: "There is no such tool, or no such session any more: begin a new one with `initialize`.",
  invalid_input: "A field breaks a rule; `issues` names both. Correct it and send again.",
  invalid_arguments:
    "The arguments are not what the tool's input schema asks for; `issues` names places (JSON pointers) and rules. Nothing was called. Correct them and call again.",
  conflict: "Somebody else changed the same thing. Read it again first.",
  stale_version: "The version that the change is based on is no longer the newest. Read it again first.",
  definition_changed:
    "A tool says something else than what the change names by its digest. Read it again and decide anew; nothing was changed.",
  payload_too_large: "The request is larger than 4 MiB.",
  unsupported_media_type: "Send `Content-Type: application/json`.",
  not_acceptable: "Send `Accept: application/json, text/event-stream`.",
  method_not_allowed: "Use POST.",
  rate_limited: "Too many requests. Wait for `retryAfterMs`.",
  origin_refused: "The request came from a web page of another origin, or names a host that is not ours.",
  egress_refused: "The server's address may not be reached from here. The operator can allow it.",
  server_disabled: "The server is switched off.",
  definition_held:
    "The server changed what this tool is, and a person has to review the change first. Nothing was called.",
  killed:
    "A person stopped this agent, tool, server or tenant. A call in flight was ended and may have had an effect. Do not try again; ask an admin of the tenant.",
  circuit_open: "The server failed repeatedly and is left alone until `retryAfterMs` is over. Nothing was called.",
  overloaded: "Too many calls are in flight. Nothing was called. Try again shortly.",
  upstream_unreachable: "The server could not be reached.",
  upstream_timeout: "The server did not answer in time. The call may have had an effect.",
  upstream_protocol: "The server's answer could not be used. The call may have had an effect.",
  upstream_error: "The server answered with an error, which is passed on.",
  cancelled: "The caller cancelled the call. It may have had an effect.",
  audit_unavailable:
    "The audit trail could not record the call, so it was refused or its answer withheld. Try again later.",
  unavailable: "A part that is needed cannot be reached. Try again later.",
  internal: "Something went wrong on our side. Tell your admin the `requestId`.",
} as const satisfies Record<ErrorCode, string>;
