import { AppError } from "@/lib/core/errors";
import { RPC } from "@/lib/mcp/door/rpc-codes";
import { headerText } from "@/lib/mcp/upstream/param-headers";
import {
  isRecord,
  type Json,
  LEGACY_VERSIONS,
  META,
  MODERN_VERSION,
  UNSTATED_VERSION,
} from "@/lib/mcp/upstream/protocol";

export type RpcId = string | number;

/** One JSON-RPC message whose envelope holds: era, version, headers and body agree. */
export type Envelope = {
  readonly era: "modern" | "legacy";
  readonly version: string;
  readonly method: string;
  /** Null for a notification. */
  readonly id: RpcId | null;
  readonly params: Json;
  readonly meta: Json;
  readonly clientName: string | undefined;
};

/** A message that breaks the protocol; knows the id to answer to, the JSON-RPC code and the HTTP status. */
export type EnvelopeFault = {
  readonly fault: true;
  readonly id: RpcId | null;
  readonly era: "modern" | "legacy";
  readonly rpcCode: number;
  readonly status: number;
  readonly error: AppError;
};

type Headers = (name: string) => string | null;
const NOTHING: Json = {};

const fault = (
  rpcCode: number,
  message: string,
  id: RpcId | null = null,
  detail: Json = NOTHING,
  status = 400,
  era: "modern" | "legacy" = "modern",
): EnvelopeFault => ({ fault: true, id, era, rpcCode, status, error: new AppError("invalid_input", message, detail) });

/** What is no message, or may not be one here. */
export const invalidRequest = (message: string, id: RpcId | null = null, detail?: Json): EnvelopeFault =>
  fault(RPC.invalidRequest, message, id, detail);

/** The headers of a request say something else than its body. */
export const mismatch = (id: RpcId | null, header: string | null, body: string): EnvelopeFault =>
  fault(RPC.headerMismatch, `The request headers and body disagree: ${body}.`, id, {
    mismatch: { header: header ?? "(missing)", body },
  });

/** JSON-RPC: notifications and answers are not answered, whatever is wrong with them. The trail tells what was refused. */
export function wantsNoAnswer(message: unknown): boolean {
  if (!isRecord(message) || message["jsonrpc"] !== "2.0") return false;
  return typeof message["method"] === "string" ? !("id" in message) : "result" in message || "error" in message;
}

/** The id of a request; null for anything that wants no answer. */
export function requestIdOf(message: unknown): RpcId | null {
  if (!isRecord(message) || typeof message["method"] !== "string") return null;
  const id = message["id"];
  return typeof id === "string" || typeof id === "number" ? id : null;
}

/** Reads a parsed body with its headers. Null: a response to something we never asked, which is taken and dropped. */
export function readEnvelope(body: unknown, header: Headers): Envelope | EnvelopeFault | null {
  if (!isRecord(body) || body["jsonrpc"] !== "2.0") return invalidRequest("The body is not a JSON-RPC 2.0 message.");
  const { id: rawId, method, params = NOTHING } = body;
  if (typeof method !== "string")
    return "result" in body || "error" in body ? null : invalidRequest("The message has no method.");
  if (rawId !== undefined && typeof rawId !== "string" && !Number.isFinite(rawId)) {
    return invalidRequest("The id must be a string or a number.");
  }
  const id = (rawId as RpcId | undefined) ?? null;
  if (!isRecord(params)) return fault(RPC.invalidParams, "The params must be an object.", id);
  const meta = isRecord(params["_meta"]) ? params["_meta"] : NOTHING;
  const claimed = meta[META.protocolVersion];
  const stated = header("mcp-protocol-version");
  const message: Message = { method, id, params, meta, stated };
  return claimed === undefined ? readLegacy(message) : readModern(message, claimed, header);
}

type Message = {
  readonly method: string;
  readonly id: RpcId | null;
  readonly params: Json;
  readonly meta: Json;
  readonly stated: string | null;
};

function readLegacy({ method, id, params, meta, stated }: Message): Envelope | EnvelopeFault {
  if (stated === MODERN_VERSION) {
    const missing = [isRecord(params["_meta"]) ? META.protocolVersion : "_meta"];
    const text = `Revision ${MODERN_VERSION} wants ${missing[0]} in the params of every request.`;
    // Notifications of that revision need no envelope.
    if (id !== null) return fault(RPC.invalidParams, text, id, { envelope: { missing } });
  } else if (stated !== null && method !== "initialize" && !(LEGACY_VERSIONS as readonly string[]).includes(stated)) {
    return unsupported(id, stated);
  }
  const info = method === "initialize" ? params["clientInfo"] : undefined;
  return { era: "legacy", version: stated ?? UNSTATED_VERSION, method, id, params, meta, clientName: nameOf(info) };
}

function readModern(message: Message, claimed: unknown, header: Headers): Envelope | EnvelopeFault {
  const { method, id, params, meta, stated } = message;
  if (typeof claimed !== "string") return fault(RPC.invalidParams, `${META.protocolVersion} must be a string.`, id);
  if (stated !== claimed && (id !== null || stated !== null)) {
    return mismatch(id, stated, `the body names protocol version ${claimed.slice(0, 40)}`);
  }
  if (claimed !== MODERN_VERSION) return unsupported(id, claimed);
  if (id !== null) {
    if (!isRecord(meta[META.clientCapabilities])) {
      const missing = [META.clientCapabilities];
      return fault(RPC.invalidParams, `The request's _meta lacks ${META.clientCapabilities}.`, id, {
        envelope: { missing },
      });
    }
    const wrong = headersDisagree(message, header);
    if (wrong !== null) return wrong;
  }
  return { era: "modern", version: claimed, method, id, params, meta, clientName: nameOf(meta[META.clientInfo]) };
}

/** The parameter that the header `Mcp-Name` repeats. */
const NAMED_BY: Readonly<Record<string, string>> = {
  "tools/call": "name",
  "prompts/get": "name",
  "resources/read": "uri",
};

function headersDisagree({ method, id, params }: Message, header: Headers): EnvelopeFault | null {
  const statedMethod = header("mcp-method");
  if (statedMethod !== method) return mismatch(id, statedMethod, `the body names the method ${method.slice(0, 80)}`);
  const named = NAMED_BY[method];
  if (named === undefined) return null;
  const raw = header("mcp-name");
  // Neither names anything: that is no disagreement, and whoever reads the params says what they lack.
  if (raw === null && typeof params[named] !== "string") return null;
  const stated = raw === null ? null : headerText(raw);
  if (stated === params[named]) return null;
  return mismatch(id, raw, `the body names ${String(params[named]).slice(0, 128)}`);
}

function unsupported(id: RpcId | null, requested: string): EnvelopeFault {
  const supported = [MODERN_VERSION, ...LEGACY_VERSIONS];
  const text = `Protocol version ${requested.slice(0, 40)} is not supported.`;
  return fault(RPC.unsupportedVersion, text, id, { supported, requested: requested.slice(0, 40) });
}

/** What the client calls itself: unverified, for the trail only. */
function nameOf(info: unknown): string | undefined {
  if (!isRecord(info) || typeof info["name"] !== "string") return undefined;
  const version = typeof info["version"] === "string" ? `/${info["version"]}` : "";
  return `${info["name"]}${version}`.slice(0, 100);
}
