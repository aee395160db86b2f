import type { z } from "zod";
import { perform } from "@/lib/audit/perform";
import { contextFromRequest } from "@/lib/auth/request-context";
import type { RequestContext } from "@/lib/core/context";
import { requestIdOf } from "@/lib/core/http-headers";
import { newId } from "@/lib/core/ids";
import type { ReadVerb, WriteVerb } from "@/lib/core/verb";
import { baseUrl } from "@/lib/env";
import { requireSameOrigin } from "@/lib/http/origin-guard";
import { problemResponse } from "@/lib/http/problem";
import { DEFAULT_MAX_BYTES, readInput } from "@/lib/http/read-input";

type Params = Readonly<Record<string, string | readonly string[] | undefined>>;
type RouteInfo = { readonly params: Promise<Params | undefined> };

/** What Next calls for one method of one address. */
export type RouteHandler = (request: Request, info: RouteInfo) => Promise<Response>;

export type RouteOptions<R> = {
  readonly maxBytes?: number;
  /** For answers that are not one JSON document, e.g. a JSONL export. */
  readonly respond?: (result: R, ctx: RequestContext) => Response;
  /** Headers of a successful answer besides the usual ones. */
  readonly headers?: () => Readonly<Record<string, string>>;
};

/** The verb a handler serves, so that a test can tell a route from anything else and the OpenAPI document can be made. */
const served = new WeakMap<
  RouteHandler,
  { readonly kind: "read" | "write"; readonly permission: string; readonly input: z.ZodType }
>();
export const verbOf = (handler: RouteHandler) => served.get(handler);

/**
 * Serves a verb over HTTP: who asks, from where, what they say, then `perform`. Answers JSON or problem+json and
 * never caches. The verb itself says who may call it; this adds only what HTTP needs.
 */
export function route<Tx, S extends z.ZodType, R, P>(
  verb: WriteVerb<Tx, S, R, P> | ReadVerb<Tx, S, R>,
  options: RouteOptions<R> = {},
): RouteHandler {
  const handler: RouteHandler = async (request, info) => {
    const requestId = requestIdOf(request.headers, newId);
    try {
      const ctx = { ...(await contextFromRequest(request)), requestId };
      if (livesByCookie(request, ctx)) requireSameOrigin(request.headers, new URL(baseUrl()).origin);
      // Next hands over no params at all where the address has none.
      const params = (await info.params) ?? {};
      const input = await readInput(request, params, options.maxBytes ?? DEFAULT_MAX_BYTES);
      const result = await perform(verb, ctx, input, `${request.method} ${new URL(request.url).pathname}`);
      return finished(options.respond?.(result, ctx) ?? json(result, statusOf(verb)), requestId, options.headers?.());
    } catch (cause) {
      return problemResponse(cause, requestId);
    }
  };
  served.set(handler, verb);
  return handler;
}

const statusOf = (verb: { kind: "read" } | { kind: "write"; status?: 200 | 201 | 204 }) =>
  verb.kind === "write" ? (verb.status ?? 200) : 200;

function livesByCookie(request: Request, ctx: RequestContext): boolean {
  const changes = request.method !== "GET" && request.method !== "HEAD";
  return changes && ctx.actor.kind === "user" && ctx.actor.authMethod === "session";
}

function json(result: unknown, status: number): Response {
  if (status === 204) return new Response(null, { status });
  return new Response(JSON.stringify(result ?? null), { status, headers: { "content-type": "application/json" } });
}

function finished(response: Response, requestId: string, extra: Readonly<Record<string, string>> = {}): Response {
  response.headers.set("x-request-id", requestId);
  response.headers.set("cache-control", "no-store");
  for (const [name, value] of Object.entries(extra)) response.headers.set(name, value);
  return response;
}
