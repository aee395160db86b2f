import "server-only";
import { decode } from "next-auth/jwt";
import { processSecrets } from "@/lib/db/process-secrets";
import { baseUrl } from "@/lib/env";

export const isHttps = (): boolean => baseUrl().startsWith("https:");

/**
 * `__Host-` binds a cookie to this host, https and the root path (ASVS 3.3.3); browsers refuse the prefix over plain
 * http, where only the development sign-in runs.
 */
export const cookieName = (name: string, https = isHttps()): string => `${https ? "__Host-" : ""}countersign.${name}`;

/** The session id in a Cookie header, or null. Decrypting proves we issued it, not that the session still lives. */
export async function sessionIdFrom(cookieHeader: string | null): Promise<string | null> {
  const token = readCookie(cookieHeader ?? "", cookieName("session"));
  if (token === null) return null;
  try {
    const claims = await decode({ token, secret: processSecrets().nextAuthSecret });
    return typeof claims?.["sid"] === "string" ? claims["sid"] : null;
  } catch {
    // Garbage, another key, or an expired envelope: the same as no cookie.
    return null;
  }
}

function readCookie(header: string, name: string): string | null {
  for (const part of header.split(";")) {
    const equals = part.indexOf("=");
    if (equals > 0 && part.slice(0, equals).trim() === name) return part.slice(equals + 1).trim();
  }
  return null;
}

/** The Set-Cookie value that makes a browser forget its session. */
export const forgottenSessionCookie = (): string =>
  `${cookieName("session")}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0${isHttps() ? "; Secure" : ""}`;
