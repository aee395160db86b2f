import "server-only";
import { acceptInvitations } from "@/lib/auth/accept-invitations";
import { ABSOLUTE_MS, idleEnd } from "@/lib/auth/lifetimes";
import { MEMBERSHIPS_SQL, type Membership } from "@/lib/auth/memberships";
import { recordRefusal } from "@/lib/auth/refusals";
import { recordSessionEvent, type SeenFrom } from "@/lib/auth/session-events";
import { comparableEmail } from "@/lib/auth/verified-email";
import { newId } from "@/lib/core/ids";
import { inPlatform, type PlatformTx } from "@/lib/db/in-tenant";
import { env } from "@/lib/env";

/** What a sign-in provider proved about somebody. */
export type ProvenPerson = {
  readonly provider: string;
  readonly issuer: string;
  readonly subject: string;
  /** Vouched for by the issuer, lower case; null when it vouches for none. */
  readonly email: string | null;
  readonly claimedEmail: string | null;
  readonly name: string;
};

export type SignInRefusal = "email_unverified" | "email_taken";
export type Admission =
  | { readonly ok: true; readonly sessionId: string; readonly tenantId: string | null }
  | { readonly ok: false; readonly reason: SignInRefusal };

/**
 * Lets a proven person in: finds or links the account, accepts what they were invited to, opens a session and
 * records it, all in one transaction. A refusal is recorded too.
 */
export async function admitPerson(person: ProvenPerson, seen: SeenFrom, now = Date.now()): Promise<Admission> {
  const admission = await inPlatform((tx) => admit(tx, person, seen, now));
  if (!admission.ok) {
    await recordRefusal({
      reason: admission.reason,
      claimed: person.claimedEmail,
      ip: seen.ip ?? null,
      userAgent: seen.userAgent ?? null,
      authMethod: "oidc",
      target: person.provider,
      ...(seen.requestId === undefined ? {} : { requestId: seen.requestId }),
    });
  }
  return admission;
}

type Account = { readonly id: string; readonly email: string };

async function admit(tx: PlatformTx, person: ProvenPerson, seen: SeenFrom, now: number): Promise<Admission> {
  const found = await findOrLinkAccount(tx, person);
  if (typeof found === "string") return { ok: false, reason: found };
  const actor = { type: "user", id: found.id, name: found.email } as const;
  if (person.email !== null) {
    if (await becomesPlatformAdmin(tx, found.id, person.email)) {
      await recordSessionEvent(tx, null, { eventType: "platform_admin.granted", actor, target: found.email }, seen);
    }
    await acceptInvitations(tx, { userId: found.id, email: person.email, actor }, seen, now);
  }
  const tenantId = await landingTenant(tx, found.id, now);
  const sessionId = await openSession(tx, found.id, person, tenantId, seen, now);
  const payload = { provider: person.provider, issuer: person.issuer };
  await recordSessionEvent(
    tx,
    tenantId,
    { eventType: "session.opened", actor, target: found.email, sessionId, payload },
    seen,
  );
  return { ok: true, sessionId, tenantId };
}

/**
 * (issuer, subject) is the person. An address links only on the first sign-in, only when the issuer vouches for it,
 * and never to an account that already signs in elsewhere: otherwise a second issuer could take it over.
 */
async function findOrLinkAccount(tx: PlatformTx, person: ProvenPerson): Promise<Account | SignInRefusal> {
  const { issuer, subject, email, name } = person;
  const identity = await tx.userIdentity.findUnique({
    where: { issuer_subject: { issuer, subject } },
    select: { user: { select: { id: true, email: true } } },
  });
  if (identity !== null) return identity.user;
  if (email === null) return "email_unverified";
  const known = await tx.user.findUnique({
    where: { email },
    select: { id: true, email: true, identities: { select: { issuer: true }, take: 1 } },
  });
  if (known !== null && known.identities.length > 0) return "email_taken";
  const account =
    known ?? (await tx.user.create({ data: { id: newId(), email, name }, select: { id: true, email: true } }));
  await tx.userIdentity.create({ data: { issuer, subject, userId: account.id } });
  return { id: account.id, email: account.email };
}

async function becomesPlatformAdmin(tx: PlatformTx, userId: string, email: string): Promise<boolean> {
  const first = (env().PLATFORM_ADMINS ?? "").split(",").map((text) => comparableEmail(text.trim()));
  if (!first.includes(email)) return false;
  const { count } = await tx.user.updateMany({
    where: { id: userId, platformAdmin: false },
    data: { platformAdmin: true },
  });
  return count === 1;
}

/** Where the person was last, if they may still go there; otherwise the first of their tenants, or none. */
async function landingTenant(tx: PlatformTx, userId: string, now: number): Promise<string | null> {
  const memberships = await tx.$queryRawUnsafe<Membership[]>(MEMBERSHIPS_SQL, userId, new Date(now).toISOString());
  const last = await tx.session.findFirst({
    where: { userId, activeTenantId: { not: null } },
    orderBy: { createdAt: "desc" },
    select: { activeTenantId: true },
  });
  const again = memberships.find((membership) => membership.tenantId === last?.activeTenantId);
  return (again ?? memberships[0])?.tenantId ?? null;
}

async function openSession(
  tx: PlatformTx,
  userId: string,
  person: ProvenPerson,
  activeTenantId: string | null,
  seen: SeenFrom,
  now: number,
): Promise<string> {
  const id = newId();
  const at = new Date(now);
  const expiresAt = new Date(now + ABSOLUTE_MS);
  await tx.session.create({
    data: {
      id,
      userId,
      activeTenantId,
      authMethod: "oidc",
      issuer: person.issuer,
      ip: seen.ip ?? null,
      userAgent: seen.userAgent?.slice(0, 400) ?? null,
      createdAt: at,
      lastSeenAt: at,
      idleExpiresAt: idleEnd(now, expiresAt),
      expiresAt,
    },
  });
  await tx.user.update({ where: { id: userId }, data: { lastSignInAt: at } });
  return id;
}
