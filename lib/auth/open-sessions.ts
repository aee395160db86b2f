import "server-only";
import { appendInTransaction } from "@/lib/audit/append-in-transaction";
import { draftOf } from "@/lib/audit/perform";
import type { SessionEnd } from "@/lib/auth/lifetimes";
import type { EndedSessions, SessionView } from "@/lib/auth/schemas";
import type { RequestContext } from "@/lib/core/context";
import { AppError } from "@/lib/core/errors";
import { PLATFORM_TENANT_ID } from "@/lib/core/ids";
import type { WriteResult } from "@/lib/core/verb";
import { enterChain, inPlatform, type PlatformTx } from "@/lib/db/in-tenant";
import { warmKey } from "@/lib/db/tenant-keys";
import { env } from "@/lib/env";

/** Which of a person's open sessions. */
export type WhichSessions = {
  readonly userId: string;
  readonly only?: string;
  readonly except?: string;
  /** Only those in which this tenant is the active one. */
  readonly tenantId?: string;
};

/** More are not shown at once; all of them can be ended. */
const MOST_SHOWN = 100;

export type OpenSessionRow = {
  readonly id: string;
  readonly activeTenantId: string | null;
  readonly ip: string | null;
  readonly userAgent: string | null;
  readonly createdAt: Date;
  readonly lastSeenAt: Date;
  readonly expiresAt: Date;
};

const openNow = ({ userId, only, except, tenantId }: WhichSessions, now: Date) => ({
  userId,
  revokedAt: null,
  expiresAt: { gt: now },
  idleExpiresAt: { gt: now },
  id: { ...(only === undefined ? {} : { equals: only }), ...(except === undefined ? {} : { not: except }) },
  ...(tenantId === undefined ? {} : { activeTenantId: tenantId }),
  // Outside of the demo its people are nobody, whatever sessions they have left.
  ...(env().demo ? {} : { user: { demo: false } }),
});

const select = {
  id: true,
  activeTenantId: true,
  ip: true,
  userAgent: true,
  createdAt: true,
  lastSeenAt: true,
  expiresAt: true,
} as const;

/** Sessions that could be used right now, the last used one first. */
export const readOpenSessions = (tx: PlatformTx, which: WhichSessions): Promise<OpenSessionRow[]> =>
  tx.session.findMany({
    where: openNow(which, new Date()),
    orderBy: [{ lastSeenAt: "desc" }, { id: "desc" }],
    take: MOST_SHOWN,
    select,
  });

export const toSessionView = (row: OpenSessionRow): SessionView => ({
  id: row.id,
  signedInAt: row.createdAt.toISOString(),
  lastSeenAt: row.lastSeenAt.toISOString(),
  expiresAt: row.expiresAt.toISOString(),
  address: row.ip,
  userAgent: row.userAgent,
});

/** Sealing inside the transaction must not wait for a second connection. */
export async function warmChainsOf(userId: string): Promise<void> {
  const rows = await inPlatform((tx) =>
    tx.session.groupBy({ by: ["activeTenantId"], where: openNow({ userId }, new Date()) }),
  );
  for (const { activeTenantId } of rows) if (activeTenantId !== null) await warmKey(activeTenantId, "payload");
}

export type Ending = {
  /** Whose they are, as the trail names them. */
  readonly email: string;
  readonly as: Extract<SessionEnd, "revoked" | "signed_out">;
  readonly reason?: string;
  /** The session that asks, where its own person does. */
  readonly by?: string;
};

/**
 * Ends those that are open, for every process from its next request on. Each tenant in whose sessions they are finds it in its
 * chain, and the platform in its own. What is not open is not found: nothing is recorded that did not happen.
 */
export async function endOpenSessions(
  tx: PlatformTx,
  ctx: RequestContext,
  which: WhichSessions,
  ending: Ending,
): Promise<WriteResult<EndedSessions>> {
  await lockSessionsOf(tx, which.userId);
  await requireStillOpen(tx, which.userId, ending.by);
  const rows = await tx.session.findMany({ where: openNow(which, new Date()), orderBy: { id: "asc" }, select });
  if (rows.length === 0) throw new AppError("not_found", "There is no such open session.");
  await tx.session.updateMany({
    where: { id: { in: rows.map(({ id }) => id) } },
    data: { revokedAt: new Date(), endReason: ending.as },
  });
  for (const tenantId of tenantsOf(rows)) {
    await recordIn(
      tx,
      ctx,
      tenantId,
      rows.filter((row) => row.activeTenantId === tenantId),
      ending,
    );
  }
  await enterChain(tx, PLATFORM_TENANT_ID);
  const before = { sessions: rows.map(noted) };
  const audit = { action: "session.closed", target: ending.email, reason: ending.reason ?? ending.as, before } as const;
  const publish = rows.map(({ id }) => ({ topic: "session.changed", sessionId: id }) as const);
  return { result: { ended: rows.length }, audit, publish };
}

/** In the order of their ids: of two who end each other's sessions none waits for the other for ever. */
const lockSessionsOf = (tx: PlatformTx, userId: string): Promise<number> =>
  tx.$executeRaw`select from sessions where user_id = ${userId}::uuid and revoked_at is null order by id for update`;

/** Of two that end each other at the same moment only the first does. */
async function requireStillOpen(tx: PlatformTx, userId: string, sessionId: string | undefined): Promise<void> {
  if (sessionId === undefined) return;
  const open = await tx.session.count({ where: openNow({ userId, only: sessionId }, new Date()) });
  if (open === 0) throw new AppError("unauthenticated", "Sign in first.");
}

/** Always in one order, for the same reason. */
const tenantsOf = (rows: readonly OpenSessionRow[]): string[] =>
  [...new Set(rows.flatMap(({ activeTenantId }) => activeTenantId ?? []))].sort();

const noted = ({ id, createdAt }: OpenSessionRow) => ({ id, signedInAt: createdAt.toISOString() });

async function recordIn(
  tx: PlatformTx,
  ctx: RequestContext,
  tenantId: string,
  rows: readonly OpenSessionRow[],
  { email, as, reason }: Ending,
): Promise<void> {
  // From where somebody acts in one tenant is nothing that another one learns.
  const seen = ctx.tenantId === tenantId ? {} : { ip: null, userAgent: null };
  await enterChain(tx, tenantId);
  await appendInTransaction(tx, {
    ...draftOf(ctx, tenantId),
    ...seen,
    phase: "auth",
    eventType: "session.closed",
    outcome: "success",
    reasonCode: as,
    target: email,
    payload: { before: { sessions: rows.map(noted) } },
    ...(rows.length > 1 ? { count: rows.length } : {}),
    ...(reason === undefined ? {} : { reason }),
  });
}
