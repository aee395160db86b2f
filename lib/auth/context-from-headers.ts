import "server-only";
import { type Membership, permissionsOf } from "@/lib/auth/memberships";
import { recordRefusal } from "@/lib/auth/refusals";
import { seenFrom } from "@/lib/auth/seen-from";
import { sessionIdFrom } from "@/lib/auth/session-cookie";
import { findLiveSession, type LiveSession } from "@/lib/auth/sessions";
import { verifyApiToken } from "@/lib/auth/verify-api-token";
import type { RequestContext } from "@/lib/core/context";
import { AppError } from "@/lib/core/errors";
import { PLATFORM_TENANT_ID } from "@/lib/core/ids";
import { UNATTENDED_HEADER } from "@/lib/core/wire";

/**
 * Who sends a request and in which tenant. An API token belongs to one, and no request may name another; a session acts in
 * the tenant that `tenantSlug` or the `x-tenant` header names, else in its active one, else in none (only platform verbs then).
 * Throws unauthenticated, or not_found for a tenant that is none of theirs.
 */
export async function contextFromHeaders(headers: Headers, tenantSlug?: string): Promise<RequestContext> {
  const authorization = headers.get("authorization");
  const named = tenantSlug ?? headers.get("x-tenant");
  if (authorization !== null) return contextFromToken(headers, authorization, named);
  const sessionId = await sessionIdFrom(headers.get("cookie"));
  const isAttended = headers.get(UNATTENDED_HEADER) === null;
  const session = sessionId === null ? null : await findLiveSession(sessionId, Date.now(), isAttended);
  if (session === null) throw new AppError("unauthenticated", "Sign in first.");
  return sessionContext(session, headers, named);
}

async function contextFromToken(
  headers: Headers,
  authorization: string,
  named: string | null,
): Promise<RequestContext> {
  const seen = seenFrom(headers);
  const secret = /^Bearer +(\S+)$/i.exec(authorization)?.[1] ?? "";
  const identity = await verifyApiToken(secret);
  if (identity === null) {
    await recordRefusal({ ...seen, reason: "token_invalid", authMethod: "api_token" });
    throw new AppError(
      "unauthenticated",
      "This API token is not valid: unknown, expired, revoked, or its owner has no access.",
    );
  }
  const { membership, permissions, tokenId, userId, email, name, platformAdmin } = identity;
  if (named !== null && named !== membership.slug) throw notAMember(named);
  const { memberId, tenantId } = membership;
  const actor = {
    kind: "user",
    userId,
    memberId,
    email,
    name,
    platformAdmin,
    authMethod: "api_token",
    credentialId: tokenId,
  } as const;
  return { ...seen, tenantId, actor, permissions };
}

function sessionContext(session: LiveSession, headers: Headers, tenantSlug: string | null): RequestContext {
  const membership = chosenMembership(session, tenantSlug);
  const permissions = membership === null ? new Set<string>() : permissionsOf(membership);
  if (session.platformAdmin) permissions.add("platform:*");
  const { userId, email, name, platformAdmin } = session;
  return {
    ...seenFrom(headers),
    tenantId: membership?.tenantId ?? PLATFORM_TENANT_ID,
    permissions,
    actor: {
      kind: "user",
      userId,
      memberId: membership?.memberId ?? null,
      email,
      name,
      platformAdmin,
      authMethod: "session",
      credentialId: session.id,
    },
  };
}

/** A named tenant must be one of theirs; an active tenant they have left since simply is none any more. */
function chosenMembership(session: LiveSession, tenantSlug: string | null): Membership | null {
  if (tenantSlug === null) {
    return session.memberships.find((membership) => membership.tenantId === session.activeTenantId) ?? null;
  }
  const named = session.memberships.find((membership) => membership.slug === tenantSlug);
  if (named === undefined) throw notAMember(tenantSlug);
  return named;
}

// The same answer whether the tenant exists or not.
const notAMember = (slug: string) =>
  new AppError("not_found", `You are not a member of a tenant called ${slug.slice(0, 31)}.`);
