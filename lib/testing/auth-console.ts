import { writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { DEV_ISSUER_PREFIX, devIssuerCallback } from "@/lib/auth/dev-issuer";
import { handleAuthRequest } from "@/lib/auth/handle-auth-request";
import { startSignIn } from "@/lib/auth/start-sign-in";
import { announceBaseUrl, env } from "@/lib/env";

export type AuthConsole = { readonly base: string; readonly close: () => Promise<void> };

/** The sign-in part of the console on a port of its own: /dev-issuer, /api/auth and /sign-in/<provider>, no Next. */
export async function startAuthConsole(): Promise<AuthConsole> {
  const issuer = devIssuerCallback();
  const server = createServer((request, response) => {
    if (request.url?.startsWith(DEV_ISSUER_PREFIX)) issuer(request, response);
    else answer(request, response).catch((cause: unknown) => response.writeHead(500).end(String(cause)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  announceBaseUrl(base);
  return { base, close: () => new Promise((resolve) => server.close(() => resolve())) };
}

/** Writes the demo's people where the development issuer looks for them. */
export async function writeDemoUsers(
  users: readonly { email: string; password: string; name?: string }[],
): Promise<void> {
  await writeFile(join(env().DATA_DIR, "demo.json"), JSON.stringify({ users }), { mode: 0o600 });
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const asked = await toRequest(request);
  const url = new URL(asked.url);
  const start = /^\/sign-in\/([a-z]+)$/.exec(url.pathname);
  const answered = url.pathname.startsWith("/api/auth/")
    ? await handleAuthRequest(asked)
    : start?.[1] === undefined
      ? new Response("page", { status: 200 })
      : await startSignIn(asked, start[1], url.searchParams.get("callbackUrl") ?? "/");
  const cookies = answered.headers.getSetCookie();
  const headers = Object.fromEntries([...answered.headers].filter(([name]) => name !== "set-cookie"));
  response.writeHead(answered.status, { ...headers, ...(cookies.length > 0 ? { "set-cookie": cookies } : {}) });
  response.end(Buffer.from(await answered.arrayBuffer()));
}

async function toRequest(request: IncomingMessage): Promise<Request> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) headers.set(name, String(value));
  const method = request.method ?? "GET";
  const hasBody = method !== "GET" && method !== "HEAD";
  return new Request(`http://${request.headers.host ?? "localhost"}${request.url ?? "/"}`, {
    method,
    headers,
    ...(hasBody ? { body: Buffer.concat(chunks) } : {}),
  });
}

/** A browser without a screen: keeps cookies by path, follows redirects when told, sends what a browser would. */
export class CookieBrowser {
  readonly #cookies = new Map<string, { value: string; path: string }>();

  cookieHeader(path = "/"): string {
    const sent = [...this.#cookies].filter(([, cookie]) => path.startsWith(cookie.path));
    return sent.map(([name, { value }]) => `${name}=${value}`).join("; ");
  }

  has(name: string): boolean {
    return this.#cookies.has(name);
  }

  async open(url: string, init: RequestInit = {}): Promise<Response> {
    const { pathname } = new URL(url);
    const headers = new Headers(init.headers);
    headers.set("cookie", this.cookieHeader(pathname));
    const response = await fetch(url, { ...init, headers, redirect: "manual" });
    for (const line of response.headers.getSetCookie()) this.#keep(line);
    return response;
  }

  /** Follows redirects until a page is reached; returns it and where it is. */
  async follow(url: string, init: RequestInit = {}): Promise<{ response: Response; url: string }> {
    let at = url;
    let response = await this.open(at, init);
    for (let hop = 0; hop < 15; hop += 1) {
      const location = response.headers.get("location");
      if (location === null) return { response, url: at };
      at = new URL(location, at).href;
      response = await this.open(at);
    }
    throw new Error(`too many redirects at ${at}`);
  }

  #keep(line: string): void {
    const [pair = "", ...attributes] = line.split(";").map((part) => part.trim());
    const equals = pair.indexOf("=");
    const [name, value] = [pair.slice(0, equals), pair.slice(equals + 1)];
    const path = attributes.find((text) => /^path=/i.test(text))?.slice(5) ?? "/";
    const gone = attributes.some((text) => /^max-age=0$/i.test(text) || /^expires=thu, 01 jan 1970/i.test(text));
    if (gone || value === "") this.#cookies.delete(name);
    else this.#cookies.set(name, { value, path });
  }
}

/** Signs in at the development issuer through the whole authorization-code flow. */
export async function signInWith(browser: CookieBrowser, base: string, email: string, password: string) {
  const login = await browser.follow(`${base}/sign-in/development`);
  const form = new URLSearchParams({ email, password });
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  return browser.follow(login.url, { method: "POST", headers, body: form.toString() });
}
