import type { RequestContext } from "@/lib/core/context";
import { AppError } from "@/lib/core/errors";

export type SignedInPerson = { readonly sessionId: string; readonly userId: string; readonly email: string };

/** Who is signed in, by a session and not by an API token; `otherwise` says what a token is told. */
export function requireSession({ actor }: RequestContext, otherwise: string): SignedInPerson {
  if (actor.kind !== "user" || actor.authMethod !== "session" || actor.credentialId === undefined) {
    throw new AppError("invalid_input", otherwise);
  }
  return { sessionId: actor.credentialId, userId: actor.userId, email: actor.email };
}
