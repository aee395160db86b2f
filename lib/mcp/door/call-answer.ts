import { type AppError, HTTP_STATUS } from "@/lib/core/errors";
import type { Outcome } from "@/lib/gateway/tool-call";
import { ENTRY, ERROR, errorText, LIMIT, resultMeta, resultText, SERVER_INFO } from "@/lib/mcp/door/answers";
import type { Text } from "@/lib/mcp/door/door-request";
import type { Envelope } from "@/lib/mcp/door/envelope";
import { RPC, TOLD_TO_THE_AGENT } from "@/lib/mcp/door/rpc-codes";
import { isRecord, type Json, META } from "@/lib/mcp/upstream/protocol";

/** The message that answers a tool call, and the status for when it is answered by itself. */
export type CallAnswer = { readonly status: number; readonly text: Text; readonly error: AppError | null };

/** Puts the outcome of a call into the words of the caller's era. */
export function callAnswer(envelope: Envelope, outcome: Outcome, requestId: string): CallAnswer {
  const { id, era } = envelope;
  if (outcome.ok) return { status: 200, text: governedText(envelope, outcome), error: null };
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

const SERVER_TEXT = `"${META.serverInfo}":${JSON.stringify(SERVER_INFO)}`;

/**
 * A server's result as ours: it cannot name an entry, nor speak as somebody else. Its own part is serialised as it is, and
 * ours is set behind it as text.
 */
function governedText({ id, era }: Envelope, { result, entry, limit, large }: Answered): Text {
  const { _meta, resultType, ...rest } = result;
  const theirs = JSON.stringify(rest);
  const members = theirs === "{}" ? "" : `${theirs.slice(1, -1)},`;
  const type = resultType === "input_required" ? resultType : "complete";
  const said = era === "modern" ? `"resultType":"${type}",` : "";
  const start = `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{`;
  const end = `${members}${said}"_meta":${metaText(_meta, entry, limit, era)}}}`;
  return large === undefined ? start + end : [Buffer.from(start), ...large.pieces, Buffer.from(`,${end}`)];
}

function metaText(theirs: unknown, entry: string, limit: Outcome["limit"], era: Envelope["era"]): string {
  let text = "";
  for (const name of isRecord(theirs) ? Object.keys(theirs) : []) {
    if (name.startsWith("dev.countersign/") || name === META.serverInfo) continue;
    text += `${JSON.stringify(name)}:${JSON.stringify((theirs as Json)[name])},`;
  }
  if (limit !== null) text += `"${LIMIT}":${JSON.stringify(limit)},`;
  return `{${text}"${ENTRY}":"${entry}"${era === "modern" ? `,${SERVER_TEXT}` : ""}}`;
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
