import { AppError } from "@/lib/core/errors";
import { recordListing } from "@/lib/gateway/record-request";
import { searchTools } from "@/lib/gateway/search-tools";
import { jsonAnswer, resultMeta, resultText } from "@/lib/mcp/door/answers";
import type { DoorAnswer } from "@/lib/mcp/door/door-request";
import type { Visit } from "@/lib/mcp/door/visit";
import { isRecord } from "@/lib/mcp/upstream/protocol";
import { SEARCH_DEFINITIONS } from "@/lib/profiles/search-definitions";

const DEFAULT_LIMIT = 8;
const MAX_LIMIT = 25;
const MAX_QUERY = 1_000;
const [SEARCH, CALL] = ["search_tools", "call_tool"] as const;

const LISTED = JSON.stringify(SEARCH_DEFINITIONS);
const CATALOG = { count: SEARCH_DEFINITIONS.length, json: LISTED, bytes: Buffer.byteLength(LISTED) };

/**
 * What a door in search mode makes of a message: an answer of its own, the call of the tool that is meant, or the
 * message as it was. A call is told on under the tool's own name, so that it takes the same road and the trail names it.
 */
export function inSearchMode(visit: Visit, next: (visit: Visit) => Promise<DoorAnswer>): Promise<DoorAnswer> {
  const { method, params } = visit.envelope;
  if (visit.profile?.mode !== "search" || visit.envelope.id === null) return next(visit);
  if (method === "tools/list") return list(visit);
  if (method !== "tools/call") return next(visit);
  if (params["name"] === SEARCH) return search(visit);
  return next(params["name"] === CALL ? meant(visit) : visit);
}

const invalid = (path: string, rule: string): AppError =>
  new AppError("invalid_input", `params.arguments.${path} ${rule}.`, {
    issues: [{ path: `params.arguments.${path}`, rule }],
  });

const argumentsOf = ({ envelope }: Visit) => {
  const given = envelope.params["arguments"];
  return isRecord(given) ? given : {};
};

function meant(visit: Visit): Visit {
  const { name, arguments: args = {} } = argumentsOf(visit);
  if (typeof name !== "string" || name === "") throw invalid("name", "must be the name of a tool");
  if (!isRecord(args)) throw invalid("arguments", "must be an object");
  const params = { ...visit.envelope.params, name, arguments: args };
  // The headers repeat the arguments of call_tool.
  return { ...visit, header: undefined, envelope: { ...visit.envelope, params } };
}

async function list({ gateway, identity, envelope, entrance }: Visit): Promise<DoorAnswer> {
  const entry = await recordListing(gateway, identity, entrance, CATALOG);
  const modern = envelope.era === "modern" ? { resultType: "complete", ttlMs: 5_000, cacheScope: "private" } : {};
  const result = { tools: SEARCH_DEFINITIONS, ...modern, _meta: resultMeta(envelope.era, entry) };
  return jsonAnswer(200, resultText(envelope.id, result), entrance);
}

async function search(visit: Visit): Promise<DoorAnswer> {
  const { gateway, identity, envelope, entrance } = visit;
  const { query, limit = DEFAULT_LIMIT } = argumentsOf(visit);
  if (typeof query !== "string" || query.trim() === "" || query.length > MAX_QUERY)
    throw invalid("query", `must be a text of 1 to ${MAX_QUERY} characters`);
  if (typeof limit !== "number" || !Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT)
    throw invalid("limit", `must be a whole number from 1 to ${MAX_LIMIT}`);
  const { entry, tools } = await searchTools(gateway, identity, entrance, { query, limit });
  const result = {
    content: [{ type: "text", text: JSON.stringify({ tools }) }],
    structuredContent: { tools },
    ...(envelope.era === "modern" ? { resultType: "complete" } : {}),
    _meta: resultMeta(envelope.era, entry),
  };
  return jsonAnswer(200, resultText(envelope.id, result), entrance);
}
