import { isAppError } from "@/lib/core/errors";
import { type HttpWire, messageIn } from "@/lib/mcp/upstream/http-wire";
import { greetingOf, parseMessage, requestMeta, resultOf } from "@/lib/mcp/upstream/messages";
import { CLIENT_INFO, type Greeting, type Json, LEGACY_VERSIONS, MODERN_VERSION } from "@/lib/mcp/upstream/protocol";
import type { Deadline } from "@/lib/resilience/deadline";

/** What was agreed with a server; `session` is its own handle, where its era has one. */
export type Link = { readonly greeting: Greeting; readonly session: string | null };

/** Headers of every message to a server of the sessions era. */
export function legacyHeaders({ greeting, session }: Link): Record<string, string> {
  return {
    "mcp-protocol-version": greeting.protocolVersion,
    ...(session === null ? {} : { "mcp-session-id": session }),
  };
}

/** Asks in the modern way first, and falls back to `initialize`. */
export async function agreeOverHttp(wire: HttpWire, deadline: Deadline, capabilities: Json): Promise<Link> {
  return (await discover(wire, deadline)) ?? (await initialize(wire, deadline, capabilities));
}

async function discover(wire: HttpWire, deadline: Deadline): Promise<Link | null> {
  const id = wire.nextId();
  const answer = await wire.post({
    id,
    method: "server/discover",
    params: { _meta: requestMeta(true, null) },
    headers: { "mcp-protocol-version": MODERN_VERSION, "mcp-method": "server/discover" },
    deadline,
  });
  if (answer.status !== 200 || answer.body === null) return null;
  try {
    const result = resultOf(parseMessage(answer.body), id);
    const versions = result["supportedVersions"];
    if (!Array.isArray(versions) || !versions.includes(MODERN_VERSION)) return null;
    return { greeting: greetingOf(result, "modern"), session: null };
  } catch (cause) {
    // Whatever a server of the sessions era makes of a method it does not know, it is no fault of its own.
    if (isAppError(cause)) return null;
    throw cause;
  }
}

async function initialize(wire: HttpWire, deadline: Deadline, capabilities: Json): Promise<Link> {
  const id = wire.nextId();
  const params = { protocolVersion: LEGACY_VERSIONS[0], capabilities, clientInfo: CLIENT_INFO };
  const answer = await wire.post({ id, method: "initialize", params, headers: {}, deadline });
  const greeting = greetingOf(resultOf(messageIn(answer), id), "legacy");
  const session = answer.headers["mcp-session-id"];
  const link: Link = { greeting, session: typeof session === "string" ? session : null };
  const said = {
    id: null,
    method: "notifications/initialized",
    params: undefined,
    headers: legacyHeaders(link),
    deadline,
  };
  await wire.post(said);
  return link;
}
