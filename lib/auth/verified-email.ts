/** The claims of an id token that say who somebody is. Nothing here is trusted beyond its signature. */
export type IdClaims = Readonly<Record<string, unknown>>;

const text = (value: unknown): string | null => (typeof value === "string" && value !== "" ? value : null);
const yes = (value: unknown): boolean => value === true || value === "true" || value === 1 || value === "1";

/**
 * An address in the form that we compare. Only A to Z are made small: the small letter of the kelvin sign is k, so that who
 * proved one address would be taken for who has another.
 */
export const comparableEmail = (email: string): string => email.replace(/[A-Z]/g, (letter) => letter.toLowerCase());

/** The address the claims mention, proven or not: for messages and the trail only. */
export function claimedEmail(claims: IdClaims): string | null {
  const mentioned = text(claims["email"]) ?? text(claims["preferred_username"]);
  return mentioned === null ? null : comparableEmail(mentioned);
}

/**
 * The address the issuer vouches for, or null. Invitations and accounts are matched by it, so anything a person
 * can set by themselves must not pass.
 */
export function verifiedEmail(provider: string, claims: IdClaims): string | null {
  const email = text(claims["email"]);
  if (email?.includes("@") && (yes(claims["email_verified"]) || (provider === "entra" && yes(claims["xms_edov"])))) {
    return comparableEmail(email);
  }
  return provider === "entra" ? userPrincipalName(claims) : null;
}

/**
 * Entra ID sends no email_verified, and its `email` can be edited ("nOAuth"). The principal name cannot: its domain
 * is one the directory proved to own. Guests carry `#EXT#` and somebody else's address in it.
 */
function userPrincipalName(claims: IdClaims): string | null {
  const name = text(claims["preferred_username"]);
  return name?.includes("@") && !name.includes("#") ? comparableEmail(name) : null;
}

/** What to call the person. */
export const displayName = (claims: IdClaims, email: string): string => text(claims["name"])?.slice(0, 120) ?? email;
