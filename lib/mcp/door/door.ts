import { AppError, isAppError, toAppError } from "@/lib/core/errors";
import { newId } from "@/lib/core/ids";
import { parseJsonGuarded } from "@/lib/core/json-guard";
import { baseUrl } from "@/lib/env";
import { authenticate } from "@/lib/gateway/authenticate";
import type { GatewayDeps } from "@/lib/gateway/gateway-deps";
import type { Identity } from "@/lib/gateway/identity";
import { profileGateway } from "@/lib/gateway/profile-gateway";
import { recordArrival } from "@/lib/gateway/record-request";
import type { Entrance } from "@/lib/gateway/tool-call";
import { answerBatch } from "@/lib/mcp/door/batch";
import { ownerOf } from "@/lib/mcp/door/conversation";
import type { DoorAnswer, DoorRequest, ParsedMessage } from "@/lib/mcp/door/door-request";
import { answerDelete } from "@/lib/mcp/door/end-session";
import { type EnvelopeFault, readEnvelope } from "@/lib/mcp/door/envelope";
import { errorPage } from "@/lib/mcp/door/error-page";
import { bearerOf, guardMedia, guardOrigin, takesStreams } from "@/lib/mcp/door/guards";
import { openSessionStream } from "@/lib/mcp/door/listen";
import { answerMethod } from "@/lib/mcp/door/methods";
import { takeAnswer } from "@/lib/mcp/door/pending-asks";
import { inPreferredShape } from "@/lib/mcp/door/preferred-shape";
import { refuseKnown, refuseStranger } from "@/lib/mcp/door/refuse";
import { RPC } from "@/lib/mcp/door/rpc-codes";
import { inSearchMode } from "@/lib/mcp/door/search-mode";
import { checkSession } from "@/lib/mcp/door/session-ids";
import { knowSession } from "@/lib/mcp/door/session-notes";
import type { Visit } from "@/lib/mcp/door/visit";
import { UNSTATED_VERSION } from "@/lib/mcp/upstream/protocol";
import { profileBySlug } from "@/lib/profiles/registry";
import { arrivalOf, arrivalOfMessage } from "@/lib/telemetry/arrival";

/** What one message may be, whatever carries it. */
export const LIMITS = { maxBytes: 4 * 1024 * 1024, maxDepth: 64, maxValues: 100_000 };
const PROFILE_DOOR = /^\/api\/mcp\/p\/([^/]+)\/?$/;
const DOOR = /^\/api\/mcp(?:\/([^/]+))?\/?$/;
const REQUEST_ID = /^[A-Za-z0-9._-]{8,64}$/;

/** The agents' door: every road through it ends in an answer that names its audit entry. Never throws. */
export async function answerDoor(gateway: GatewayDeps, request: DoorRequest): Promise<DoorAnswer> {
  const entrance = entranceOf(request);
  const id = request.message?.id ?? null;
  const profile = PROFILE_DOOR.exec(request.path)?.[1] ?? null;
  const match = profile === null ? DOOR.exec(request.path) : [];
  if (match === null) return nothingHere(entrance);
  if (match[1] === "errors.md" && request.method === "GET") return errorPage();
  try {
    guardOrigin(request.header, baseUrl());
  } catch (cause) {
    return refuseStranger(gateway, entrance, id, toAppError(cause));
  }
  let identity: Identity;
  try {
    identity = await authenticate(gateway, { kind: "key", secret: bearerOf(request.header) });
  } catch (cause) {
    return refuseStranger(gateway, entrance, id, toAppError(cause));
  }
  try {
    return await enter(gateway, request, entrance, identity, { server: match[1] ?? null, profile });
  } catch (cause) {
    return refuseKnown(gateway, { entrance, identity, id, method: null }, cause);
  }
}

/**
 * The guards before a connection that will carry many messages: each of those is checked again. `mayEnter` throws where
 * there is no room. Never throws itself.
 */
export async function admitConnection(
  gateway: GatewayDeps,
  request: DoorRequest,
  mayEnter: (identity: Identity) => void,
): Promise<{ readonly identity: Identity } | { readonly refusal: DoorAnswer }> {
  const entrance = entranceOf(request);
  let identity: Identity;
  try {
    guardOrigin(request.header, baseUrl());
    identity = await authenticate(gateway, { kind: "key", secret: bearerOf(request.header) });
  } catch (cause) {
    return { refusal: await refuseStranger(gateway, entrance, null, toAppError(cause)) };
  }
  try {
    mayEnter(identity);
    await recordArrival(gateway, identity, entrance, request.method);
    return { identity };
  } catch (cause) {
    return { refusal: await refuseKnown(gateway, { entrance, identity, id: null, method: null }, cause) };
  }
}

async function enter(
  gateway: GatewayDeps,
  request: DoorRequest,
  entrance: Entrance,
  identity: Identity,
  door: { readonly server: string | null; readonly profile: string | null },
): Promise<DoorAnswer> {
  if (entrance.arrival !== undefined) entrance.arrival.authenticatedAt = performance.now();
  const seen = door.profile === null ? { gateway, profile: undefined } : await behind(gateway, identity, door.profile);
  if (request.method !== "POST") {
    const secret = bearerOf(request.header);
    return answerSession({ ...seen, identity, secret, entrance, server: door.server, request });
  }
  guardMedia(request.header);
  const { value: body, bytes, refused } = request.message ?? (await readMessage(request));
  if (Array.isArray(body)) {
    const batch = { request, messages: body, identity, requestId: entrance.requestId };
    return answerBatch(batch, (part) => enterPart(gateway, part, identity, door));
  }
  const envelope = readEnvelope(body, request.header);
  if (envelope === null) return hearAnswer(request, identity, entrance, body);
  const { id } = envelope;
  if ("fault" in envelope) return refuseKnown(gateway, { entrance, identity, id, method: null }, envelope);
  // Written out: objects that are put together from parts cost more than the rest of this function.
  const visit: Visit = {
    gateway: seen.gateway,
    profile: seen.profile,
    identity,
    secret: bearerOf(request.header),
    envelope,
    server: door.server,
    signal: request.signal,
    takesStreams: takesStreams(request.header("accept")),
    session: request.header("mcp-session-id"),
    header: request.carried === undefined ? request.header : undefined,
    connection: request.carried?.connection,
    entrance: {
      requestId: entrance.requestId,
      door: entrance.door,
      era: envelope.era,
      clientName: envelope.clientName,
      ip: entrance.ip,
      userAgent: entrance.userAgent,
      bytesIn: bytes,
      arrival: arrivalOfMessage(entrance.arrival, envelope.meta),
    },
  };
  const { method } = envelope;
  if (refused !== null) return refuseKnown(gateway, { entrance: visit.entrance, identity, id, method }, refused);
  try {
    // Whoever greets begins anew, and the stateless wire knows no sessions.
    const begun = envelope.era === "legacy" && method !== "initialize";
    if (begun) await meetSession(identity, request);
    return inPreferredShape(await inSearchMode(visit, answerMethod), request);
  } catch (cause) {
    return refuseKnown(gateway, { entrance: visit.entrance, identity, id, method }, cause);
  }
}

/** A message of a batch, of somebody we know. Never throws. */
async function enterPart(
  gateway: GatewayDeps,
  part: DoorRequest,
  identity: Identity,
  door: Parameters<typeof enter>[4],
): Promise<DoorAnswer> {
  const entrance = entranceOf(part);
  try {
    return await enter(gateway, part, entrance, identity, door);
  } catch (cause) {
    return refuseKnown(gateway, { entrance, identity, id: part.message?.id ?? null, method: null }, cause);
  }
}

/** An answer of the client's to something that a server asked it. */
async function hearAnswer(
  request: DoorRequest,
  identity: Identity,
  { requestId }: Entrance,
  body: unknown,
): Promise<DoorAnswer> {
  await checkSession(identity, sessionOf(request));
  takeAnswer(ownerOf({ identity, session: request.header("mcp-session-id") }), body);
  return { status: 202, headers: { "x-request-id": requestId }, body: null };
}

type Opening = Pick<Visit, "gateway" | "identity" | "secret" | "entrance" | "server"> & {
  readonly request: DoorRequest;
};

/** What the sessions era has beside messages: a stream to hear what happens, and the end of a session. */
async function answerSession(opening: Opening): Promise<DoorAnswer> {
  const { gateway, identity, entrance, request } = opening;
  const visit = request.method === "GET" ? streamVisit(opening) : null;
  if (visit !== null) {
    await meetSession(identity, request);
    return openSessionStream(visit);
  }
  if (request.method === "DELETE") return answerDelete(gateway, identity, entrance, request);
  const text = "Only POST is served here, and for a session GET with Accept: text/event-stream, and DELETE.";
  throw new AppError("method_not_allowed", text);
}

/** A client of the sessions era that wants to hear what happens; null for any other GET. */
function streamVisit({ request, entrance, ...known }: Opening): Visit | null {
  const session = request.header("mcp-session-id");
  if (session === null || !(request.header("accept") ?? "").includes("text/event-stream")) return null;
  const envelope = { era: "legacy", method: "GET", id: null, params: {}, meta: {}, clientName: undefined } as const;
  const version = request.header("mcp-protocol-version") ?? UNSTATED_VERSION;
  return {
    ...known,
    session,
    signal: request.signal,
    takesStreams: true,
    ...connectionOf(request),
    envelope: { ...envelope, version },
    entrance: { ...entrance, era: "legacy" },
  };
}

/** The part of the gateway that a profile names. */
async function behind(
  gateway: GatewayDeps,
  { tenantId }: Identity,
  slug: string,
): Promise<Pick<Visit, "gateway" | "profile">> {
  const profile = await profileBySlug(tenantId, slug);
  if (profile === undefined) throw new AppError("not_found", "There is no such profile.");
  return { gateway: profileGateway(gateway, profile), profile };
}

/** A message that a connection carries belongs to it; all others to the session that they name. */
const sessionOf = ({ carried, header }: DoorRequest): string | null =>
  carried === undefined ? header("mcp-session-id") : null;

/** Refuses a session that is not there, and learns what it told other processes. */
async function meetSession(identity: Identity, request: DoorRequest): Promise<void> {
  const session = sessionOf(request);
  if (session === null) return;
  await checkSession(identity, session);
  await knowSession(ownerOf({ identity, session }));
}

const connectionOf = ({ carried, header }: DoorRequest): Pick<Visit, "connection" | "header"> =>
  carried === undefined ? { header } : { connection: carried.connection };

async function readMessage(request: DoorRequest): Promise<ParsedMessage> {
  const bytes = await request.body(LIMITS.maxBytes);
  return { value: parseBody(bytes), id: null, bytes: bytes.length, refused: null };
}

function parseBody(bytes: Uint8Array): unknown {
  try {
    return parseJsonGuarded(bytes, LIMITS);
  } catch (cause) {
    throw isAppError(cause) && cause.code === "invalid_input" ? notJson(cause) : cause;
  }
}

/** Not an error of ours but of the message; carried as a fault so that its JSON-RPC code survives. */
const notJson = (error: AppError): EnvelopeFault => ({
  fault: true,
  id: null,
  era: "legacy",
  rpcCode: RPC.parseError,
  status: 400,
  error,
});

function entranceOf(request: DoorRequest): Entrance {
  const given = request.header("x-request-id");
  return {
    requestId: given !== null && REQUEST_ID.test(given) ? given : newId(),
    door: (request.carried?.door ?? request.path).slice(0, 100),
    era: undefined,
    clientName: undefined,
    ip: request.peerAddress,
    userAgent: request.header("user-agent")?.slice(0, 300) ?? null,
    bytesIn: undefined,
    arrival: arrivalOf(request.header),
  };
}

function nothingHere({ requestId }: Entrance): DoorAnswer {
  return {
    status: 404,
    headers: { "content-type": "text/plain", "x-request-id": requestId },
    body: "There is nothing here.\n",
  };
}
