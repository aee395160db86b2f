import "server-only";
import type { CookiesOptions, NextAuthOptions } from "next-auth";
import { admitPerson } from "@/lib/auth/admit-person";
import { ABSOLUTE_MS } from "@/lib/auth/lifetimes";
import { DEVELOPMENT_ISSUER, signInProviders, toNextAuthProvider } from "@/lib/auth/providers";
import { cookieName, isHttps, sessionIdFrom } from "@/lib/auth/session-cookie";
import type { SeenFrom } from "@/lib/auth/session-events";
import { endSession, findLiveSession } from "@/lib/auth/sessions";
import { claimedEmail, displayName, type IdClaims, verifiedEmail } from "@/lib/auth/verified-email";
import { logger } from "@/lib/core/logger";
import { processSecrets } from "@/lib/db/process-secrets";

const FLOW_SECONDS = 15 * 60;

function cookies(): Partial<CookiesOptions> {
  const secure = isHttps();
  const options = { httpOnly: true, sameSite: "lax" as const, path: "/", secure };
  const named = (name: string, maxAge?: number) => ({
    name: cookieName(name, secure),
    options: maxAge === undefined ? options : { ...options, maxAge },
  });
  return {
    sessionToken: named("session"),
    callbackUrl: named("callback-url"),
    csrfToken: named("csrf"),
    pkceCodeVerifier: named("pkce", FLOW_SECONDS),
    state: named("state", FLOW_SECONDS),
    nonce: named("nonce", FLOW_SECONDS),
  };
}

/** next-auth as this product uses it: it runs the OIDC exchange; who gets in and for how long is decided here. */
export function nextAuthOptions(seen: SeenFrom, cookieHeader: string | null): NextAuthOptions {
  const maxAge = ABSOLUTE_MS / 1000;
  return {
    providers: signInProviders().map(toNextAuthProvider),
    secret: processSecrets().nextAuthSecret,
    session: { strategy: "jwt", maxAge },
    jwt: { maxAge },
    useSecureCookies: isHttps(),
    cookies: cookies(),
    pages: { signIn: "/sign-in", error: "/sign-in", signOut: "/sign-in" },
    callbacks: callbacks(seen, cookieHeader),
    events: { signOut: async ({ token }) => endSession(String(token?.["sid"] ?? ""), "signed_out", seen) },
    logger: {
      error: (code, detail) => logger.warn({ code, reason: messageOf(detail) }, "sign-in failed"),
      warn: (code) => logger.debug({ code }, "next-auth"),
      debug: () => undefined,
    },
  };
}

function callbacks(seen: SeenFrom, cookieHeader: string | null): NonNullable<NextAuthOptions["callbacks"]> {
  let opened: string | null = null;
  return {
    async signIn({ account, profile }) {
      const claims = (profile ?? {}) as IdClaims;
      if (account === null || typeof claims["iss"] !== "string") return false;
      const admission = await admitPerson(provenPerson(account.provider, account.providerAccountId, claims), seen);
      if (!admission.ok) return `/sign-in?error=${admission.reason}`;
      await endSessionOf(cookieHeader, seen);
      opened = admission.sessionId;
      return true;
    },
    // The cookie carries the session's id and nothing else; everything is looked up in its row.
    async jwt({ token }) {
      if (opened !== null) return { sid: opened };
      const session = await findLiveSession(String(token["sid"] ?? ""));
      if (session === null) throw new Error("the session has ended");
      return { sid: session.id };
    },
    async session({ token }) {
      const session = await findLiveSession(String(token["sid"] ?? ""));
      if (session === null) throw new Error("the session has ended");
      return { user: { name: session.name, email: session.email }, expires: session.expiresAt.toISOString() };
    },
  };
}

/** Whoever signs in anew has a new session, and the old one ends (ASVS 7.2.4): a copy of its cookie must not outlive it. */
async function endSessionOf(cookieHeader: string | null, seen: SeenFrom): Promise<void> {
  const before = await sessionIdFrom(cookieHeader);
  if (before !== null) await endSession(before, "replaced", seen);
}

function provenPerson(provider: string, subject: string, claims: IdClaims) {
  const email = verifiedEmail(provider, claims);
  const mentioned = claimedEmail(claims);
  return {
    provider,
    subject,
    issuer: provider === "development" ? DEVELOPMENT_ISSUER : String(claims["iss"]),
    email,
    claimedEmail: mentioned,
    name: displayName(claims, email ?? mentioned ?? subject),
  };
}

function messageOf(detail: unknown): string {
  if (detail instanceof Error) return detail.message;
  const inner = (detail as { error?: unknown } | null)?.error;
  return inner instanceof Error ? inner.message : "";
}
