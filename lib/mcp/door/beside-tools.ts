import { PROMPTS, RESOURCES } from "@/lib/access/primitives";
import { AppError, type ErrorCode, toAppError } from "@/lib/core/errors";
import { listOffers, OFFERS, type OfferMethod, recordOffers, serversOffering } from "@/lib/gateway/list-offers";
import { recordArrival } from "@/lib/gateway/record-request";
import type { Outcome, ToolCall } from "@/lib/gateway/tool-call";
import { errorText, jsonAnswer, resultMeta, resultText, rpcCodeOf } from "@/lib/mcp/door/answers";
import { type CallAnswer, callAnswer, errorStatus } from "@/lib/mcp/door/call-answer";
import { answerConversation, ownerOf } from "@/lib/mcp/door/conversation";
import type { DoorAnswer } from "@/lib/mcp/door/door-request";
import type { EnvelopeFault } from "@/lib/mcp/door/envelope";
import { execute } from "@/lib/mcp/door/in-flight";
import { executeInWords } from "@/lib/mcp/door/joint-words";
import { answerListen } from "@/lib/mcp/door/listen";
import { jointOffer, jointUri, type Place, placeOfName, placeOfUri } from "@/lib/mcp/door/names";
import { changeSubscription, reservePlace, setLogLevel } from "@/lib/mcp/door/session-notes";
import { isLogLevel } from "@/lib/mcp/door/sessions";
import type { Visit } from "@/lib/mcp/door/visit";
import { isRecord, type Json } from "@/lib/mcp/upstream/protocol";

/** How long a client may keep a list. Short: what a caller may see can change at any moment. */
const LIST_TTL_MS = 5_000;

const badParam = (path: string, rule: string): AppError =>
  new AppError("invalid_input", `params.${path} ${rule}.`, { issues: [{ path: `params.${path}`, rule }] });

/** Answers what is neither a tool call nor the greeting; null for a method that is not served. */
export function answerBesideTools(visit: Visit): Promise<DoorAnswer> | null {
  const { method, era } = visit.envelope;
  if (Object.hasOwn(OFFERS, method)) return list(visit, method as OfferMethod);
  switch (method) {
    case "resources/read":
      return ask(visit, RESOURCES, uriOf(visit));
    case "prompts/get":
      return ask(visit, PROMPTS, nameOf(visit));
    case "completion/complete":
      return complete(visit);
    case "subscriptions/listen":
      return era === "modern" ? answerListen(visit) : null;
    case "resources/subscribe":
    case "resources/unsubscribe":
      return era === "legacy" ? subscribe(visit) : null;
    case "logging/setLevel":
      return era === "legacy" ? setLevel(visit) : null;
    default:
      return null;
  }
}

const modernList = (visit: Visit): Json =>
  visit.envelope.era === "modern" ? { resultType: "complete", ttlMs: LIST_TTL_MS, cacheScope: "private" } : {};

async function list(visit: Visit, method: OfferMethod): Promise<DoorAnswer> {
  const { gateway, identity, secret, server, envelope, entrance } = visit;
  if (envelope.params["cursor"] !== undefined)
    throw badParam("cursor", "is not one of ours: the list has a single page");
  const { offers, cut } = await listOffers(gateway, identity, method, server, secret).catch((cause: unknown) => {
    const error = toAppError(cause);
    const isTold = server !== null && OF_THE_SERVER.has(error.code);
    return Promise.reject<never>(isTold ? asTold(visit, error) : error);
  });
  const entry = await recordOffers(gateway, identity, entrance, method, offers.length);
  const items = offers.map(({ server: slug, item }) => (server === null ? jointOffer(slug, item) : item));
  const result = {
    [OFFERS[method].member]: items,
    ...modernList(visit),
    _meta: resultMeta(envelope.era, entry, cut.length === 0 ? undefined : { [CUT]: cut }),
  };
  return jsonAnswer(200, resultText(envelope.id, result), entrance);
}

/** Where a list says which servers' lists had no end: of theirs, only the beginning is in it. */
const CUT = "dev.countersign/cut";

/** How a server fails, or has failed. */
const OF_THE_SERVER: ReadonlySet<ErrorCode> = new Set([
  "upstream_error",
  "upstream_protocol",
  "upstream_timeout",
  "upstream_unreachable",
  "circuit_open",
  "overloaded",
  "server_disabled",
]);

/** What one server does not list is told as what it does not let be read: clients take the words of no other status. */
const asTold = ({ envelope }: Visit, error: AppError): EnvelopeFault => ({
  fault: true,
  id: envelope.id,
  era: envelope.era,
  rpcCode: rpcCodeOf(error),
  status: errorStatus(envelope, error),
  error,
});

function uriOf({ envelope, server }: Visit): Place {
  const { uri } = envelope.params;
  if (typeof uri !== "string" || uri === "" || uri.length > 4_096)
    throw badParam("uri", "must be a string of 1 to 4096 characters");
  return placeOfUri(uri, server);
}

function nameOf({ envelope, server }: Visit): Place {
  const { name } = envelope.params;
  if (typeof name !== "string" || name === "" || name.length > 256)
    throw badParam("name", "must be a string of 1 to 256 characters");
  return placeOfName(name, server);
}

type Asked = Pick<ToolCall, "credential" | "entrance" | "signal" | "ref" | "args" | "ask">;

function toCall(visit: Visit, key: string, place: Place, given: Json): Asked & { readonly ask: { method: string } } {
  const { envelope, identity, secret, entrance, signal } = visit;
  return {
    credential: { kind: "checked", identity, secret },
    entrance,
    signal,
    ref: { server: place.server, tool: key },
    args: given,
    ask: { method: envelope.method, params: given, target: place.name },
  } as Asked & { readonly ask: { method: string } };
}

/** Reads a resource or gets a prompt: on the road of every call, under the server's key in the map. */
async function ask(visit: Visit, key: string, place: Place): Promise<DoorAnswer> {
  const { arguments: args } = visit.envelope.params;
  if (args !== undefined && !isRecord(args)) throw badParam("arguments", "must be an object");
  const given =
    key === RESOURCES ? { uri: place.name } : { name: place.name, ...(args === undefined ? {} : { arguments: args }) };
  return answerConversation(
    visit,
    toCall(visit, key, place, given),
    (call) => executeInWords(visit, call, "all"),
    (outcome) => toAnswer(visit, place, outcome),
  );
}

function toAnswer(visit: Visit, place: Place, outcome: Outcome): CallAnswer {
  const { envelope, entrance, server } = visit;
  const { requestId } = entrance;
  if (!outcome.ok) {
    const error = server === null ? named(outcome.error, place) : outcome.error;
    const status = errorStatus(envelope, error);
    return { status, text: errorText(envelope.id, error, { requestId, entry: outcome.entry }), error };
  }
  const { result, large } = outcome;
  const { ttlMs } = result;
  const isRead = envelope.method === "resources/read" && ("contents" in result || large !== undefined);
  const cacheable = envelope.era === "modern" && isRead;
  const hints = cacheable ? { ttlMs: typeof ttlMs === "number" ? ttlMs : 0, cacheScope: "private" } : {};
  return callAnswer(envelope, { ...outcome, result: { ...result, ...hints } }, requestId);
}

/** A refusal that names the address says it as the caller does. */
function named(error: AppError, place: Place): AppError {
  const data = error.detail["rpcData"];
  if (!isRecord(data) || data["uri"] !== place.name) return error;
  const rpcData = { ...data, uri: jointUri(place.server, place.name) };
  return new AppError(error.code, error.message, { ...error.detail, rpcData }, error.cause);
}

async function complete(visit: Visit): Promise<DoorAnswer> {
  const { ref, argument, context } = visit.envelope.params;
  if (!isRecord(ref) || !isRecord(argument)) throw badParam("ref", "and params.argument must be objects");
  const byName = ref["type"] === "ref/prompt";
  const text = byName ? ref["name"] : ref["uri"];
  if (typeof text !== "string" || text === "") throw badParam("ref", "must name a prompt or a resource");
  const place = byName ? placeOfName(text, visit.server) : placeOfUri(text, visit.server);
  const given = {
    ref: { ...ref, ...(byName ? { name: place.name } : { uri: place.name }) },
    argument,
    ...(context === undefined ? {} : { context }),
  };
  const call = toCall(visit, byName ? PROMPTS : RESOURCES, place, given);
  const outcome = await execute(visit, call);
  const { status, text: body } = toAnswer(visit, place, outcome);
  return jsonAnswer(status, body, visit.entrance);
}

/** Changes of a resource are told on the stream behind GET; here it is only noted who wants to hear of them. */
async function subscribe(visit: Visit): Promise<DoorAnswer> {
  const place = uriOf(visit);
  const follows = visit.envelope.method === "resources/subscribe";
  const owner = ownerOf(visit);
  // Before the server is asked: what we then refused it would still tell of.
  const release = follows ? reservePlace(owner, place) : null;
  try {
    const outcome = await execute(visit, toCall(visit, RESOURCES, place, { uri: place.name }));
    if (outcome.ok) await changeSubscription(owner, place, follows);
    const { status, text } = toAnswer(visit, place, outcome);
    return jsonAnswer(status, text, visit.entrance);
  } finally {
    release?.();
  }
}

async function setLevel(visit: Visit): Promise<DoorAnswer> {
  const { gateway, identity, envelope, entrance, session } = visit;
  const { level } = envelope.params;
  if (!isLogLevel(level)) throw badParam("level", "must be one of the levels of syslog");
  if (session !== null) await setLogLevel(ownerOf(visit), level);
  await recordArrival(gateway, identity, entrance, "ping");
  const text = resultText(envelope.id, {});
  return jsonAnswer(200, text, entrance);
}

/** What the door offers this caller, in the words of `capabilities`. */
export async function capabilitiesFor({ gateway, identity, server, envelope }: Visit): Promise<Json> {
  const [resources, prompts] = await Promise.all(
    ([RESOURCES, PROMPTS] as const).map((key) => serversOffering(gateway, identity, key, server)),
  );
  const all = [...(resources ?? []), ...(prompts ?? [])];
  return {
    tools: { listChanged: true },
    ...(resources?.length ? { resources: { subscribe: true, listChanged: true } } : {}),
    ...(prompts?.length ? { prompts: { listChanged: true } } : {}),
    ...(all.some(({ capabilities }) => capabilities?.includes("completions")) ? { completions: {} } : {}),
    ...(envelope.era === "legacy" ? { logging: {} } : {}),
  };
}
