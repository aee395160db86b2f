import { generateKeyPair, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import type { Configuration, KoaContextWithOIDC, Provider } from "oidc-provider";
import { nameOf, readDemoUsers } from "@/lib/auth/dev-issuer/demo-users";
import { errorPage } from "@/lib/auth/dev-issuer/login-page";
import { memoryAdapter } from "@/lib/auth/dev-issuer/memory-adapter";

export type DevClient = { readonly id: string; readonly secret: string; readonly redirectUris: readonly string[] };

const SCOPES = "openid email profile";

/** A certified OpenID provider over the demo's people: authorization code with PKCE and nothing else. */
export async function makeProvider(issuer: string, client: DevClient): Promise<Provider> {
  // Loaded only where the demo signs somebody in; it has something to say about the Node version when it is.
  const { default: OidcProvider } = await import("oidc-provider");
  const { privateKey } = await promisify(generateKeyPair)("rsa", { modulusLength: 2048 });
  const jwk = { ...privateKey.export({ format: "jwk" }), use: "sig", alg: "RS256", kid: "development" };
  return new OidcProvider(issuer, configuration(new URL(issuer).pathname, client, jwk));
}

type Jwk = NonNullable<Configuration["jwks"]>["keys"][number];

function configuration(mount: string, client: DevClient, jwk: object): Configuration {
  return {
    adapter: memoryAdapter(),
    jwks: { keys: [jwk as Jwk] },
    cookies: {
      keys: [randomBytes(32).toString("hex")],
      long: { path: mount, httpOnly: true, sameSite: "lax", signed: true },
    },
    clients: [
      {
        client_id: client.id,
        client_secret: client.secret,
        redirect_uris: [...client.redirectUris],
        grant_types: ["authorization_code"],
        response_types: ["code"],
        token_endpoint_auth_method: "client_secret_basic",
      },
    ],
    responseTypes: ["code"],
    scopes: SCOPES.split(" "),
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
    // The console reads people from the id token; by default oidc-provider would put their address only in userinfo.
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    features: { devInteractions: { enabled: false }, rpInitiatedLogout: { enabled: false } },
    interactions: { url: (_ctx, interaction) => `${mount}/interaction/${interaction.uid}` },
    ttl: { AccessToken: 600, AuthorizationCode: 60, IdToken: 600, Interaction: 600, Session: 600, Grant: 600 },
    findAccount,
    loadExistingGrant: grantWithoutAsking,
    renderError: (ctx, out) => {
      ctx.type = "html";
      ctx.body = errorPage(out.error, out.error_description ?? "");
    },
  };
}

async function findAccount(_ctx: unknown, email: string) {
  const user = (await readDemoUsers()).find((candidate) => candidate.email === email);
  if (user === undefined) return undefined;
  return {
    accountId: user.email,
    claims: async () => ({ sub: user.email, email: user.email, email_verified: true, name: nameOf(user) }),
  };
}

/** The console is the only client, so there is nothing to consent to. */
async function grantWithoutAsking(ctx: KoaContextWithOIDC) {
  const { client, session, provider } = ctx.oidc;
  if (client === undefined || session?.accountId === undefined) return undefined;
  const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  grant.addOIDCScope(SCOPES);
  await grant.save();
  return grant;
}
