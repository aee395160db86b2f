import { isAppError } from "@/lib/core/errors";
import { parseJsonGuarded } from "@/lib/core/json-guard";
import { type TraceContext, traceMembers } from "@/lib/core/trace-context";
import { broken, rpcRefusal } from "@/lib/mcp/upstream/faults";
import {
  CLIENT_INFO,
  type Greeting,
  isRecord,
  type Json,
  MAX_ANSWER_BYTES,
  MAX_ANSWER_DEPTH,
  META,
  MODERN_VERSION,
  type Progress,
} from "@/lib/mcp/upstream/protocol";

/** Parses one message of a server; anything but an object is a fault of the protocol. */
export function parseMessage(bytes: Uint8Array): Json {
  let value: unknown;
  try {
    value = parseJsonGuarded(bytes, { maxBytes: MAX_ANSWER_BYTES, maxDepth: MAX_ANSWER_DEPTH });
  } catch (cause) {
    throw broken(isAppError(cause) ? cause.message.replace(/\.$/, "").toLowerCase() : "it is not JSON", cause);
  }
  if (!isRecord(value)) throw broken("it is not a JSON-RPC message");
  return value;
}

/** The result of the answer to request `id`; throws what the server refused with, or what is wrong with the answer. */
export function resultOf(message: Json, id: number, mayAsk = false): Json {
  if (isRecord(message["error"])) {
    // An error may carry a null id when the server could not read ours.
    if (message["id"] !== id && message["id"] !== null) throw broken("it answers another request");
    throw rpcRefusal(message["error"]);
  }
  if (message["id"] !== id) throw broken("it answers another request");
  if (!isRecord(message["result"])) throw broken("it has no result");
  const type = message["result"]["resultType"];
  if (
    type !== undefined &&
    type !== "complete" &&
    !(type === "input_required" && mayComeBack(message["result"], mayAsk))
  )
    throw broken(`a result of type ${String(type)} was not asked for`);
  return message["result"];
}

/** A result that wants something first: an answer, where there is somebody to ask, or no more than another try with its state. */
const mayComeBack = ({ inputRequests = {}, requestState }: Json, mayAsk: boolean): boolean =>
  isRecord(inputRequests) && Object.keys(inputRequests).length === 0 ? typeof requestState === "string" : mayAsk;

/** What most clients can do when a server asks. */
export const NO_CAPABILITIES: Json = {};
/** Of most requests. */
const PLAIN_META: Json = {
  [META.protocolVersion]: MODERN_VERSION,
  [META.clientInfo]: CLIENT_INFO,
  [META.clientCapabilities]: NO_CAPABILITIES,
};

/** `_meta` with the place in a trace, which every transport and both eras may carry there. */
export const tracedMeta = (meta: Json | undefined, trace: TraceContext | undefined): Json | undefined =>
  trace === undefined ? meta : { ...meta, ...traceMembers(trace) };

/** `_meta` of a request to a server; `id` doubles as the progress token. */
export function requestMeta(
  modern: boolean,
  progressToken: number | null,
  capabilities: Json = NO_CAPABILITIES,
  logLevel?: string,
): Json | undefined {
  if (!modern) return progressToken === null ? undefined : { progressToken };
  if (progressToken === null && capabilities === NO_CAPABILITIES && logLevel === undefined) return PLAIN_META;
  return {
    [META.protocolVersion]: MODERN_VERSION,
    [META.clientInfo]: CLIENT_INFO,
    [META.clientCapabilities]: capabilities,
    ...(logLevel === undefined ? {} : { [META.logLevel]: logLevel }),
    ...(progressToken === null ? {} : { progressToken }),
  };
}

/** The progress a notification reports on request `id`, or null for any other message. */
export function progressOf(message: Json, id: number): Progress | null {
  const params = message["params"];
  if (message["method"] !== "notifications/progress" || !isRecord(params) || params["progressToken"] !== id)
    return null;
  const { progress, total, message: text } = params as { progress?: unknown; total?: unknown; message?: unknown };
  if (typeof progress !== "number") return null;
  return {
    progress,
    ...(typeof total === "number" ? { total } : {}),
    ...(typeof text === "string" ? { message: text } : {}),
  };
}

const text = (value: unknown): string | null => (typeof value === "string" ? value.slice(0, 4_000) : null);

/** Reads the result of `server/discover` (modern) or `initialize` (legacy). */
export function greetingOf(result: Json, era: Greeting["era"]): Greeting {
  const meta = isRecord(result["_meta"]) ? result["_meta"] : {};
  const found = era === "modern" ? meta[META.serverInfo] : result["serverInfo"];
  const info = isRecord(found) ? found : {};
  const version = era === "modern" ? MODERN_VERSION : text(result["protocolVersion"]);
  if (version === null) throw broken("it names no protocol version");
  return {
    era,
    protocolVersion: version,
    serverName: text(info["name"]),
    serverVersion: text(info["version"]),
    instructions: text(result["instructions"]),
    capabilities: isRecord(result["capabilities"]) ? Object.keys(result["capabilities"]).slice(0, 64) : [],
  };
}
