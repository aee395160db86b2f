import "server-only";
import { beginAtProvider } from "@/lib/auth/handle-auth-request";
import { signInProviders } from "@/lib/auth/providers";

/** Sends a person who followed a provider's link on the sign-in page to that provider. Works without scripts. */
export async function startSignIn(request: Request, providerId: string, callbackUrl: string): Promise<Response> {
  const back = (error: string) => new Response(null, { status: 303, headers: { location: `/sign-in?error=${error}` } });
  // Another site must not start a sign-in here: it could leave somebody in an account that is not theirs.
  const site = request.headers.get("sec-fetch-site");
  if (site !== null && site !== "same-origin" && site !== "none") return back("origin_refused");
  if (!signInProviders().some((provider) => provider.id === providerId)) return back("unknown_provider");
  return beginAtProvider(request, providerId, callbackUrl);
}
