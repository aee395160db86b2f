import { type AppError, HTTP_STATUS } from "@/lib/core/errors";
import type { Outcome } from "@/lib/gateway/tool-call";
import { ERROR, errorText, LIMIT, resultMeta, resultText } from "@/lib/mcp/door/answers";
import type { Envelope } from "@/lib/mcp/door/envelope";
import { RPC, TOLD_TO_THE_AGENT } from "@/lib/mcp/door/rpc-codes";
import { isRecord, type Json } from "@/lib/mcp/upstream/protocol";

/** The message that answers a tool call, and the status for when it is answered by itself. */
export type CallAnswer = { readonly status: number; readonly text: string; readonly error: AppError | null };

/** Puts the outcome of a call into the words of the caller's era. */
export function callAnswer(envelope: Envelope, outcome: Outcome, requestId: string): CallAnswer {
  const { id, era } = envelope;
  if (outcome.ok) return { status: 200, text: resultText(id, governed(outcome, era)), error: null };
  const { error, entry } = outcome;
  // Told as a result, a refusal still says in its headers when to come back.
  if (TOLD_TO_THE_AGENT.has(error.code)) {
    return { status: 200, text: resultText(id, refusalResult(outcome, era, requestId)), error };
  }
  const text = errorText(id, error, { requestId, entry });
  return { status: errorStatus(envelope, error), text, error };
}

/** A client reads a JSON-RPC error best with status 200; only what concerns the whole gateway or the key is HTTP's matter. */
export function errorStatus({ era }: Envelope, { code, detail }: AppError): number {
  const ours = code === "audit_unavailable" || code === "unavailable" || code === "unauthenticated";
  if (ours) return HTTP_STATUS[code];
  // What the protocol itself gives a status to.
  return era === "modern" && detail["rpcCode"] === RPC.missingCapability ? 400 : 200;
}

type Answered = Extract<Outcome, { ok: true }>;
type Refused = Extract<Outcome, { ok: false }>;

/** What is left to the caller; nothing where the call was refused before it was counted. */
const limitMeta = (limit: Outcome["limit"]): Json => (limit === null ? {} : { [LIMIT]: limit });

/** A server's result as ours: it cannot name an entry, nor speak as somebody else. */
function governed({ result, entry, limit }: Answered, era: Envelope["era"]): Json {
  const { _meta, resultType, ...rest } = result;
  const theirs = isRecord(_meta) ? Object.entries(_meta).filter(([name]) => !name.startsWith("dev.countersign/")) : [];
  const meta = resultMeta(era, entry, { ...Object.fromEntries(theirs), ...limitMeta(limit) });
  return era === "modern"
    ? { ...rest, resultType: resultType === "input_required" ? resultType : "complete", _meta: meta }
    : { ...rest, _meta: withoutServerInfo(meta) };
}

function withoutServerInfo(meta: Json): Json {
  const { "io.modelcontextprotocol/serverInfo": _, ...rest } = meta;
  return rest;
}

function refusalResult({ error, entry, limit }: Refused, era: Envelope["era"], requestId: string): Json {
  const { code, message, detail } = error;
  const told = {
    code,
    requestId,
    ...(detail.issues === undefined ? {} : { issues: detail.issues }),
    ...(detail.missing === undefined ? {} : { missing: detail.missing }),
    ...(detail.retryAfterMs === undefined ? {} : { retryAfterMs: detail.retryAfterMs }),
  };
  const suffix = entry === null ? "" : ` (audit entry ${entry})`;
  return {
    content: [{ type: "text", text: `${message}${suffix}` }],
    isError: true,
    ...(era === "modern" ? { resultType: "complete" } : {}),
    _meta: resultMeta(era, entry, { [ERROR]: told, ...limitMeta(limit) }),
  };
}
