import "server-only";
import { createHash, randomBytes } from "node:crypto";
import type { NextApiRequest, NextApiResponse } from "next";
import nextAuthModule from "next-auth";
import { nextAuthOptions } from "@/lib/auth/next-auth-options";
import { recordRefusal } from "@/lib/auth/refusals";
import { seenFrom } from "@/lib/auth/seen-from";
import { cookieName } from "@/lib/auth/session-cookie";
import { HTTP_STATUS, isAppError, toAppError } from "@/lib/core/errors";
import { parseJsonGuarded, readBounded } from "@/lib/core/json-guard";
import { processSecrets } from "@/lib/db/process-secrets";
import { exportNextAuthEnv } from "@/lib/env";

type Fields = Record<string, string>;
type NextAuth = typeof nextAuthModule;

/** CommonJS: bundlers hand over its default export, Node hands over the module around it. */
const nextAuth: NextAuth =
  typeof nextAuthModule === "function" ? nextAuthModule : (nextAuthModule as unknown as { default: NextAuth }).default;

const ACTIONS = new Set(["providers", "session", "csrf", "signin", "signout", "callback", "error"]);
const MAX_BODY_BYTES = 64 * 1024;
const PLAIN = { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" };

/** Serves /api/auth/<action>/<provider> with next-auth, on plain web requests so that it runs under any server. */
export async function handleAuthRequest(request: Request): Promise<Response> {
  const path = new URL(request.url).pathname.split("/").slice(3);
  const [action = ""] = path;
  // `_log` would let anybody write into our log.
  if (!ACTIONS.has(action)) return new Response(null, { status: 404 });
  const body = await bodyFields(request).catch((cause: unknown) => toAppError(cause));
  if (isAppError(body)) return new Response(body.message, { status: HTTP_STATUS[body.code], headers: PLAIN });
  const response = await exchange(request, path, body);
  const error = errorOf(response);
  if (action === "callback" && error !== null && !ALREADY_RECORDED.has(error)) {
    const seen = seenFrom(request.headers);
    await recordRefusal({ ...seen, ip: seen.ip, reason: "sign_in_failed", authMethod: "oidc", target: path[1] ?? "?" });
  }
  return response;
}

const ALREADY_RECORDED = new Set(["email_unverified", "email_taken"]);

/** Starts a sign-in at a provider. The caller has made sure that our own page asked for it. */
export async function beginAtProvider(request: Request, providerId: string, callbackUrl: string): Promise<Response> {
  // next-auth wants its double-submit token; one is made here for both places.
  const token = randomBytes(32).toString("hex");
  const digest = createHash("sha256").update(`${token}${processSecrets().nextAuthSecret}`).digest("hex");
  const headers = new Headers(request.headers);
  headers.set("cookie", `${cookieName("csrf")}=${token}|${digest}`);
  const post = new Request(new URL(`/api/auth/signin/${providerId}`, request.url), { method: "POST", headers });
  return exchange(post, ["signin", providerId], { csrfToken: token, callbackUrl });
}

function errorOf(response: Response): string | null {
  const location = response.headers.get("location");
  return location === null ? null : new URL(location, "http://localhost").searchParams.get("error");
}

async function bodyFields(request: Request): Promise<Fields> {
  if (request.method !== "POST") return {};
  const bytes = await readBounded(request, MAX_BODY_BYTES);
  const type = request.headers.get("content-type") ?? "";
  if (type.includes("application/x-www-form-urlencoded")) {
    return Object.fromEntries(new URLSearchParams(new TextDecoder().decode(bytes)));
  }
  if (!type.includes("application/json") || bytes.length === 0) return {};
  const body = parseJsonGuarded(bytes, { maxBytes: MAX_BODY_BYTES, maxDepth: 8 });
  return typeof body === "object" && body !== null ? (body as Fields) : {};
}

/** One exchange with next-auth through the request and response shapes of Next's older API routes. */
async function exchange(request: Request, path: string[], body: Fields): Promise<Response> {
  exportNextAuthEnv();
  const url = new URL(request.url);
  const answer = recorder();
  const asked = {
    method: request.method,
    headers: Object.fromEntries(request.headers),
    cookies: parseCookies(request.headers.get("cookie") ?? ""),
    query: { ...Object.fromEntries(url.searchParams), nextauth: path },
    body,
  } as unknown as NextApiRequest;
  await nextAuth(asked, answer.response, nextAuthOptions(seenFrom(request.headers), request.headers.get("cookie")));
  return answer.finish();
}

function parseCookies(header: string): Fields {
  const pairs = header.split(";").flatMap((part): [string, string][] => {
    const equals = part.indexOf("=");
    return equals < 1 ? [] : [[part.slice(0, equals).trim(), decoded(part.slice(equals + 1).trim())]];
  });
  return Object.fromEntries(pairs);
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

/** Collects what next-auth says into a web Response. */
function recorder() {
  const headers = new Map<string, string | string[]>();
  let status = 200;
  let body: string | null = null;
  const response = {
    status(code: number) {
      status = code;
      return response;
    },
    getHeader: (name: string) => headers.get(name.toLowerCase()),
    setHeader(name: string, value: string | string[]) {
      headers.set(name.toLowerCase(), value);
      return response;
    },
    send(content: unknown) {
      body = typeof content === "string" || content === undefined ? (content ?? null) : JSON.stringify(content);
    },
    json(content: unknown) {
      headers.set("content-type", "application/json");
      body = JSON.stringify(content);
    },
    end: () => undefined,
  };
  const finish = (): Response => {
    const sent = new Headers({ "cache-control": "no-store" });
    for (const [name, value] of headers) for (const one of [value].flat()) sent.append(name, one);
    return new Response(body, { status, headers: sent });
  };
  return { response: response as unknown as NextApiResponse, finish };
}
