import type { OAuthConfig } from "next-auth/providers/oauth";
import type { IdClaims } from "@/lib/auth/verified-email";
import { newSecret } from "@/lib/core/ids";
import { singleton } from "@/lib/core/singleton";
import { withoutEnd } from "@/lib/core/without-end";
import { baseUrl, type Env, env } from "@/lib/env";

/** One way to sign in, as the sign-in page lists it. */
export type SignInProvider = {
  readonly id: "entra" | "okta" | "oidc" | "development";
  readonly name: string;
  readonly wellKnown: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Parameters of the authorization request besides the usual ones. */
  readonly authorization: Readonly<Record<string, string>>;
};

/** How accounts of the development issuer are keyed: its address changes with the port, the accounts do not. */
export const DEVELOPMENT_ISSUER = "urn:countersign:development-issuer";
export const DEVELOPMENT_CLIENT_ID = "countersign-console";

/** The client secret between this process and its own issuer; never leaves it. */
export const developmentClientSecret = (): string => singleton("auth.dev-client-secret", () => newSecret("cs"));

/** True for an address on this machine: the development issuer is offered nowhere else. */
export function isLoopbackUrl(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d{1,3}){3}$/.test(hostname);
}

/** The ways to sign in that the settings configure. Pure, so that each preset can be tested. */
export function configuredProviders(settings: Env, base: string, devSecret: () => string): SignInProvider[] {
  const found: SignInProvider[] = [];
  const { ENTRA_TENANT_ID, ENTRA_CLIENT_ID, ENTRA_CLIENT_SECRET } = settings;
  if (ENTRA_TENANT_ID && ENTRA_CLIENT_ID && ENTRA_CLIENT_SECRET) {
    const issuer = `https://login.microsoftonline.com/${ENTRA_TENANT_ID}/v2.0`;
    found.push(
      provider("entra", "Microsoft Entra ID", issuer, ENTRA_CLIENT_ID, ENTRA_CLIENT_SECRET, {
        prompt: "select_account",
      }),
    );
  }
  const { OKTA_ISSUER, OKTA_CLIENT_ID, OKTA_CLIENT_SECRET } = settings;
  if (OKTA_ISSUER && OKTA_CLIENT_ID && OKTA_CLIENT_SECRET) {
    found.push(provider("okta", "Okta", OKTA_ISSUER, OKTA_CLIENT_ID, OKTA_CLIENT_SECRET));
  }
  const { OIDC_ISSUER, OIDC_CLIENT_ID, OIDC_CLIENT_SECRET, OIDC_NAME } = settings;
  if (OIDC_ISSUER && OIDC_CLIENT_ID && OIDC_CLIENT_SECRET) {
    found.push(provider("oidc", OIDC_NAME ?? "Single sign-on", OIDC_ISSUER, OIDC_CLIENT_ID, OIDC_CLIENT_SECRET));
  }
  if (settings.demo && isLoopbackUrl(base)) {
    // Without prompt=login a second person on the same browser would silently be the first one again.
    found.push(
      provider("development", "Development sign-in", `${base}/dev-issuer`, DEVELOPMENT_CLIENT_ID, devSecret(), {
        prompt: "login",
      }),
    );
  }
  return found;
}

function provider(
  id: SignInProvider["id"],
  name: string,
  issuer: string,
  clientId: string,
  clientSecret: string,
  authorization: Readonly<Record<string, string>> = {},
): SignInProvider {
  const wellKnown = `${withoutEnd(issuer, "/")}/.well-known/openid-configuration`;
  return { id, name, wellKnown, clientId, clientSecret, authorization };
}

/** The ways to sign in of this process. */
export const signInProviders = (): SignInProvider[] => configuredProviders(env(), baseUrl(), developmentClientSecret);

/** One provider in next-auth's words: authorization code with PKCE, state and nonce, claims from the id token. */
export const toNextAuthProvider = (from: SignInProvider): OAuthConfig<IdClaims> => ({
  id: from.id,
  name: from.name,
  type: "oauth",
  wellKnown: from.wellKnown,
  idToken: true,
  checks: ["pkce", "state", "nonce"],
  clientId: from.clientId,
  clientSecret: from.clientSecret,
  authorization: { params: { scope: "openid email profile", ...from.authorization } },
  httpOptions: { timeout: 10_000 },
  profile: (claims) => ({ id: String(claims["sub"]) }),
});
