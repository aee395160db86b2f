import type { AppError } from "@/lib/core/errors";
import { HTTP_STATUS } from "@/lib/core/errors";
import { baseUrl } from "@/lib/env";
import type { DoorAnswer, Text } from "@/lib/mcp/door/door-request";
import type { Envelope, RpcId } from "@/lib/mcp/door/envelope";
import { RPC, RPC_CODE } from "@/lib/mcp/door/rpc-codes";
import { isRecord, type Json, META } from "@/lib/mcp/upstream/protocol";

/** Where an answer names its audit entry. */
export const ENTRY = "dev.countersign/entry";
/** Where a refusal that is told as a result names its code. */
export const ERROR = "dev.countersign/error";
/** Where an answer says what is left of the limits its call counted against. */
export const LIMIT = "dev.countersign/limit";

export const SERVER_INFO = { name: "countersign", title: "Countersign", version: "0.1.0" } as const;

type Named = { readonly requestId: string; readonly entry: string | null };

/** `_meta` of a result: the entry, and on the modern wire who answers. */
export function resultMeta(era: Envelope["era"], entry: string | null, extra?: Json): Json {
  return {
    ...extra,
    ...(entry === null ? {} : { [ENTRY]: entry }),
    ...(era === "modern" ? { [META.serverInfo]: SERVER_INFO } : {}),
  };
}

/** The text of a JSON-RPC result. */
export const resultText = (id: RpcId | null, result: Json): string => JSON.stringify({ jsonrpc: "2.0", id, result });

/** The text of a JSON-RPC error, with everything one needs to act on it. */
export function errorText(id: RpcId | null, error: AppError, named: Named, rpcCode?: number): string {
  const { code, message, detail } = error;
  const { rpcData, ...known } = detail;
  const data = {
    ...(isRecord(rpcData) ? rpcData : {}),
    ...known,
    code,
    requestId: named.requestId,
    ...(named.entry === null ? {} : { entry: named.entry }),
    docs: `${baseUrl()}/api/mcp/errors.md#${code}`,
  };
  return JSON.stringify({ jsonrpc: "2.0", id, error: { code: rpcCode ?? rpcCodeOf(error), message, data } });
}

const PASSED_ON: ReadonlySet<unknown> = new Set([-32601, -32602, -32603, RPC.missingCapability]);

/** A server's own code is passed on where it is one that every JSON-RPC peer knows. */
export function rpcCodeOf({ code, detail }: AppError): number {
  const theirs = detail["rpcCode"];
  // How older revisions said that a resource is not there.
  if (theirs === -32002) return RPC.invalidParams;
  return PASSED_ON.has(theirs) ? (theirs as number) : RPC_CODE[code];
}

/** A JSON answer; `headers` may add to it. */
export function jsonAnswer(
  status: number,
  body: Text,
  { requestId }: Pick<Named, "requestId">,
  headers?: Json,
): DoorAnswer {
  const own = { "content-type": "application/json", "cache-control": "no-store", "x-request-id": requestId };
  return { status, headers: headers === undefined ? own : { ...own, ...(headers as Record<string, string>) }, body };
}

/** A refusal by its HTTP status, for what fails before a call is one. */
export function refusalAnswer(
  id: RpcId | null,
  error: AppError,
  named: Named,
  special: { readonly status?: number; readonly rpcCode?: number } = {},
): DoorAnswer {
  const status = special.status ?? (error.code === "invalid_input" ? 400 : HTTP_STATUS[error.code]);
  return jsonAnswer(status, errorText(id, error, named, special.rpcCode), named, refusalHeaders(error));
}

/** Headers that belong to a refusal. */
export function refusalHeaders(error: AppError): Record<string, string> {
  const headers: Record<string, string> = {};
  if (error.code === "unauthenticated") headers["www-authenticate"] = 'Bearer realm="countersign"';
  if (error.code === "method_not_allowed") headers["allow"] = "GET, POST, DELETE";
  const wait = error.detail.retryAfterMs;
  if (wait !== undefined) headers["retry-after"] = String(Math.max(1, Math.ceil(wait / 1_000)));
  return headers;
}
