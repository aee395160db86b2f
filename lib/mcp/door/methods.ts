import { AppError } from "@/lib/core/errors";
import { listTools, SEPARATOR } from "@/lib/gateway/list-tools";
import { recordArrival, recordListing } from "@/lib/gateway/record-request";
import type { Outcome, ToolCall } from "@/lib/gateway/tool-call";
import { jsonAnswer, refusalHeaders, resultMeta, resultText, SERVER_INFO } from "@/lib/mcp/door/answers";
import { answerBesideTools, capabilitiesFor } from "@/lib/mcp/door/beside-tools";
import { type CallAnswer, callAnswer } from "@/lib/mcp/door/call-answer";
import { answerConversation, isConversation } from "@/lib/mcp/door/conversation";
import type { DoorAnswer } from "@/lib/mcp/door/door-request";
import type { EnvelopeFault } from "@/lib/mcp/door/envelope";
import { cancelCall } from "@/lib/mcp/door/in-flight";
import { executeInWords } from "@/lib/mcp/door/joint-words";
import { checkMirroredParams } from "@/lib/mcp/door/mirrored-params";
import { answerWithProgress } from "@/lib/mcp/door/progress-stream";
import { RPC } from "@/lib/mcp/door/rpc-codes";
import { newSession } from "@/lib/mcp/door/sessions";
import type { Visit } from "@/lib/mcp/door/visit";
import { isRecord, type Json, LEGACY_VERSIONS, MODERN_VERSION, type Progress } from "@/lib/mcp/upstream/protocol";

/** How long a client may keep a list. Short: what a caller may see can change at any moment. */
const LIST_TTL_MS = 5_000;

const INSTRUCTIONS =
  "Every call through this server is checked against your permissions and recorded in an audit trail. " +
  "A refusal says which permission is missing. Tools are named <server>__<tool>.";

/** Answers one message by its method. */
export function answerMethod(visit: Visit): Promise<DoorAnswer> {
  const { era, method, id } = visit.envelope;
  if (id === null) return Promise.resolve(takeNotification(visit));
  if (method === "tools/call") return callTool(visit);
  if (method === "tools/list") return list(visit);
  if (method === "server/discover" && era === "modern") return discover(visit);
  if (method === "initialize" && era === "legacy") return initialize(visit);
  if (method === "ping" && era === "legacy") return ping(visit);
  const other = answerBesideTools(visit);
  if (other !== null) return other;
  const fault: EnvelopeFault = {
    fault: true,
    id,
    era,
    rpcCode: RPC.methodNotFound,
    status: era === "modern" ? 404 : 200,
    error: new AppError("not_found", `The method ${method.slice(0, 80)} is not served here.`),
  };
  return Promise.reject(fault);
}

function takeNotification({ envelope, identity, session, entrance }: Visit): DoorAnswer {
  if (envelope.method === "notifications/cancelled" && identity.credentialId !== null) {
    cancelCall(identity.credentialId, session, envelope.params["requestId"]);
  }
  return { status: 202, headers: { "x-request-id": entrance.requestId }, body: null };
}

async function callTool(visit: Visit): Promise<DoorAnswer> {
  const { envelope, entrance, gateway } = visit;
  const token = envelope.meta["progressToken"];
  const call = toToolCall(visit);
  const mirrored =
    visit.header !== undefined && envelope.era === "modern" ? checkMirroredParams(visit, call) : undefined;
  if (mirrored instanceof Promise) await mirrored;
  if (isConversation(visit)) {
    return answerConversation(
      visit,
      call,
      (talked) => executeInWords(visit, talked, "links"),
      (outcome) => toAnswer(visit, outcome),
    );
  }
  if (!visit.takesStreams || (typeof token !== "string" && typeof token !== "number")) {
    const { status, text, error } = toAnswer(visit, await executeInWords(visit, call, "links"));
    return jsonAnswer(status, text, entrance, error === null ? undefined : refusalHeaders(error));
  }
  const headers = {
    "content-type": "application/json",
    "cache-control": "no-store",
    "x-request-id": entrance.requestId,
  };
  return answerWithProgress(token, headers, async (onProgress: (progress: Progress) => void) => {
    const { status, text, error } = toAnswer(
      visit,
      await executeInWords({ ...visit, gateway }, { ...call, onProgress }, "links"),
    );
    return { status, text, headers: error === null ? {} : refusalHeaders(error) };
  });
}

const toAnswer = ({ envelope, entrance }: Visit, outcome: Outcome): CallAnswer =>
  callAnswer(envelope, outcome, entrance.requestId);

function toToolCall({ envelope, identity, secret, server, entrance, signal }: Visit): ToolCall {
  const { name, arguments: args = {} } = envelope.params;
  if (typeof name !== "string" || name === "" || name.length > 256)
    throw badParam("name", "must be a string of 1 to 256 characters");
  if (!isRecord(args)) throw badParam("arguments", "must be an object");
  return {
    credential: { kind: "checked", identity, secret },
    ref: toRef(name, server),
    args,
    entrance,
    signal,
    onProgress: undefined,
    ask: undefined,
    client: undefined,
    server: undefined,
  };
}

function toRef(name: string, server: string | null): ToolCall["ref"] {
  if (server !== null) return { server, tool: name };
  const border = name.indexOf(SEPARATOR);
  return border === -1
    ? { server: "", tool: name }
    : { server: name.slice(0, border), tool: name.slice(border + SEPARATOR.length) };
}

const badParam = (path: string, rule: string): AppError =>
  new AppError("invalid_input", `params.${path} ${rule}.`, { issues: [{ path: `params.${path}`, rule }] });

async function list(visit: Visit): Promise<DoorAnswer> {
  const { gateway, identity, server, envelope, entrance } = visit;
  const cursor = envelope.params["cursor"];
  if (cursor !== undefined) throw badParam("cursor", "is not one of ours: the list has a single page");
  const catalog = await listTools(gateway, identity, server, envelope.era);
  const entry = await recordListing(gateway, identity, entrance, catalog);
  const modern = envelope.era === "modern";
  const rest = {
    ...(modern ? { resultType: "complete", ttlMs: LIST_TTL_MS, cacheScope: "private" } : {}),
    _meta: resultMeta(envelope.era, entry),
  };
  // The catalog is serialised once for all who hold the same permissions; here it is only put in its place.
  const text = `{"jsonrpc":"2.0","id":${JSON.stringify(envelope.id)},"result":{"tools":${catalog.json},${JSON.stringify(rest).slice(1)}}`;
  return jsonAnswer(200, text, entrance);
}

async function discover(visit: Visit): Promise<DoorAnswer> {
  return greet(visit, {
    supportedVersions: [MODERN_VERSION, ...LEGACY_VERSIONS],
    capabilities: await capabilitiesFor(visit),
    instructions: INSTRUCTIONS,
    resultType: "complete",
    ttlMs: LIST_TTL_MS,
    cacheScope: "private",
  });
}

async function initialize(visit: Visit): Promise<DoorAnswer> {
  const wanted = visit.envelope.params["protocolVersion"];
  const protocolVersion = LEGACY_VERSIONS.find((version) => version === wanted) ?? LEGACY_VERSIONS[0];
  const capabilities = await capabilitiesFor(visit);
  const result = { protocolVersion, capabilities, serverInfo: SERVER_INFO, instructions: INSTRUCTIONS };
  const session = newSession(visit.identity, visit.envelope.params["capabilities"], protocolVersion);
  return greet(visit, result, { "mcp-session-id": session });
}

async function ping(visit: Visit): Promise<DoorAnswer> {
  // The protocol wants an empty answer here, so the entry is not named in it.
  const { gateway, identity, entrance, envelope } = visit;
  await recordArrival(gateway, identity, entrance, envelope.method);
  return jsonAnswer(200, resultText(envelope.id, {}), entrance);
}

async function greet(
  { gateway, identity, envelope, entrance }: Visit,
  result: Json,
  headers: Json = {},
): Promise<DoorAnswer> {
  const entry = await recordArrival(gateway, identity, entrance, envelope.method);
  const text = resultText(envelope.id, { ...result, _meta: resultMeta(envelope.era, entry) });
  return jsonAnswer(200, text, entrance, headers);
}
