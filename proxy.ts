import { type NextRequest, NextResponse } from "next/server";
import { contentSecurityPolicy, securityHeaders } from "@/lib/http/security-headers";

/**
 * Headers only. Nobody is let in or kept out here (CVE-2025-29927: one request header could skip such a check);
 * every verb asks for itself.
 */
export default function proxy(request: NextRequest): NextResponse {
  const { pathname, search } = request.nextUrl;
  const isApi = pathname.startsWith("/api/");
  const nonce = Buffer.from(crypto.randomUUID()).toString("base64");
  const policy = contentSecurityPolicy({ nonce, isApi, isDev: process.env.NODE_ENV === "development" });
  const forwarded = new Headers(request.headers);
  // Next puts the nonce it finds in this request header on its own scripts.
  forwarded.set("content-security-policy", policy);
  forwarded.set("x-nonce", nonce);
  forwarded.set("x-countersign-path", `${pathname}${search}`);
  const response = NextResponse.next({ request: { headers: forwarded } });
  response.headers.set("content-security-policy", policy);
  for (const [name, value] of securityHeaders()) response.headers.set(name, value);
  return response;
}

export const config = {
  // The agents' door answers machines, sets its own headers, and must not pay for this on every call.
  matcher: ["/((?!api/mcp(?:/|$)|_next/static/|_next/image/|favicon\\.ico$).*)"],
};
