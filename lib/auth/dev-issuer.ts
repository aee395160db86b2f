import type { IncomingMessage, ServerResponse } from "node:http";
import type { Provider } from "oidc-provider";
import { matchUser, readDemoUsers } from "@/lib/auth/dev-issuer/demo-users";
import { errorPage, loginPage } from "@/lib/auth/dev-issuer/login-page";
import { makeProvider } from "@/lib/auth/dev-issuer/make-provider";
import { DEVELOPMENT_CLIENT_ID, developmentClientSecret, isLoopbackUrl } from "@/lib/auth/providers";
import { recordRefusal } from "@/lib/auth/refusals";
import { logger } from "@/lib/core/logger";
import { singleton } from "@/lib/core/singleton";
import { baseUrl, env } from "@/lib/env";

export const DEV_ISSUER_PREFIX = "/dev-issuer";

type Asked = IncomingMessage & { originalUrl?: string };
type Callback = (request: IncomingMessage, response: ServerResponse) => void;
type Made = { readonly base: string; readonly provider: Promise<Provider> };

const MAX_FORM_BYTES = 4_096;
const FORWARDED = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"];
const LOOPBACK = /^(127\.\d{1,3}\.\d{1,3}\.\d{1,3}|::1|::ffff:127\.\d{1,3}\.\d{1,3}\.\d{1,3})$/;

/**
 * Why the development issuer must not answer, or null. It knows passwords that are printed on its own page, so it
 * exists only in the demo, and only for somebody who sits at this machine, by this machine's own address.
 */
export function refusalOf(request: IncomingMessage, demo: boolean, base: string): string | null {
  if (!demo) return "The demo is off.";
  if (!isLoopbackUrl(base)) return "This server is published under a public address.";
  if (!LOOPBACK.test(request.socket.remoteAddress ?? "")) return "It answers only on the machine it runs on.";
  if (FORWARDED.some((name) => request.headers[name] !== undefined)) return "It does not answer through a proxy.";
  if (request.headers.host !== new URL(base).host) return `It answers only at ${base}.`;
  return null;
}

/** The request listener that serves the issuer at /dev-issuer, with or without the prefix still in `request.url`. */
export function devIssuerCallback(): Callback {
  return (request, response) => {
    serve(request, response).catch((cause: unknown) => {
      logger.error({ err: cause }, "the development issuer failed");
      if (!response.headersSent) sendHtml(response, 500, errorPage("Something went wrong on our side.", ""));
    });
  };
}

async function serve(request: Asked, response: ServerResponse): Promise<void> {
  const refusal = refusalOf(request, env().demo, baseUrl());
  if (refusal !== null) {
    sendHtml(response, 403, errorPage("The development sign-in is not available here.", refusal));
    return;
  }
  const url = request.url ?? "/";
  const local = url.startsWith(DEV_ISSUER_PREFIX) ? url.slice(DEV_ISSUER_PREFIX.length) || "/" : url;
  // oidc-provider derives the prefix of every address it prints from these two.
  request.originalUrl = `${DEV_ISSUER_PREFIX}${local}`;
  request.url = local;
  forgetWhoWasHere(request);
  const provider = await currentProvider();
  if (/^\/interaction\/[A-Za-z0-9_-]+$/.test(local)) await interact(provider, request, response);
  else await provider.callback()(request, response);
}

/**
 * Every sign-in starts from nobody. oidc-provider would otherwise ask a second person on the same browser to confirm
 * that the first one leaves, and demos are all about being several people.
 */
function forgetWhoWasHere(request: IncomingMessage): void {
  const cookies = request.headers.cookie?.split("; ").filter((cookie) => !cookie.startsWith("_session"));
  if (cookies !== undefined) request.headers.cookie = cookies.join("; ");
}

/** One provider per address: tests and PORT=0 learn their port only after listening. */
function currentProvider(): Promise<Provider> {
  const held = singleton("auth.dev-issuer", () => ({ made: null as Made | null }));
  const base = baseUrl();
  if (held.made?.base !== base) {
    const redirectUris = [`${base}/api/auth/callback/development`];
    const client = { id: DEVELOPMENT_CLIENT_ID, secret: developmentClientSecret(), redirectUris };
    held.made = { base, provider: makeProvider(`${base}${DEV_ISSUER_PREFIX}`, client) };
  }
  return held.made.provider;
}

async function interact(provider: Provider, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const users = await readDemoUsers();
  try {
    await provider.interactionDetails(request, response);
  } catch {
    sendHtml(response, 400, errorPage("This sign-in has expired.", "Start again from the console."));
    return;
  }
  if (request.method !== "POST") {
    sendHtml(response, 200, loginPage(users, "", null));
    return;
  }
  const form = new URLSearchParams(await readForm(request));
  const email = form.get("email") ?? "";
  const user = matchUser(users, email, form.get("password") ?? "");
  if (user !== undefined) {
    await provider.interactionFinished(request, response, { login: { accountId: user.email } });
    return;
  }
  const ip = request.socket.remoteAddress ?? null;
  await recordRefusal({ reason: "wrong_password", claimed: email, ip, authMethod: "oidc", target: "development" });
  sendHtml(response, 401, loginPage(users, email, "That e-mail and password do not match a demo account."));
}

async function readForm(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_FORM_BYTES) return "";
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function sendHtml(response: ServerResponse, status: number, html: string): void {
  response.writeHead(status, {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "content-security-policy":
      "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
  });
  response.end(html);
}
