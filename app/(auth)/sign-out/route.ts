import { seenFrom } from "@/lib/auth/seen-from";
import { forgottenSessionCookie, sessionIdFrom } from "@/lib/auth/session-cookie";
import { endSession } from "@/lib/auth/sessions";
import { baseUrl } from "@/lib/env";
import { requireSameOrigin } from "@/lib/http/origin-guard";
import { problemResponse } from "@/lib/http/problem";

export const dynamic = "force-dynamic";

/** Ends the session and goes back to sign-in. A plain form can post here, so leaving never needs a script. */
export async function POST(request: Request): Promise<Response> {
  const seen = seenFrom(request.headers);
  try {
    requireSameOrigin(request.headers, new URL(baseUrl()).origin);
    const sessionId = await sessionIdFrom(request.headers.get("cookie"));
    if (sessionId !== null) await endSession(sessionId, "signed_out", seen);
  } catch (cause) {
    return problemResponse(cause, seen.requestId);
  }
  const headers = { location: "/sign-in", "set-cookie": forgottenSessionCookie(), "cache-control": "no-store" };
  return new Response(null, { status: 303, headers });
}
