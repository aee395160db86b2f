/** How long a session lives whatever happens (ASVS 7.3.2). */
export const ABSOLUTE_MS = 12 * 60 * 60 * 1000;
/** How long it lives unused (ASVS 7.3.1, HIPAA 164.312(a)(2)(iii)). */
export const IDLE_MS = 30 * 60 * 1000;
/** Use is written down at most this often, so that a busy page does not write on every request. */
export const TOUCH_EVERY_MS = 60 * 1000;

export type SessionTimes = { readonly idleExpiresAt: Date; readonly expiresAt: Date };

/** Both ends of a session that is used now; the idle end never passes the absolute one. */
export const idleEnd = (now: number, expiresAt: Date): Date => new Date(Math.min(now + IDLE_MS, expiresAt.getTime()));

/** Why a session may no longer be used, or null while it may. */
export function endReasonOf(times: SessionTimes & { readonly revokedAt: Date | null }, now: number): SessionEnd | null {
  if (times.revokedAt !== null) return "revoked";
  if (times.expiresAt.getTime() <= now) return "expired";
  if (times.idleExpiresAt.getTime() <= now) return "idle";
  return null;
}

/** `replaced`: the same browser signed in anew. */
export type SessionEnd = "signed_out" | "expired" | "idle" | "revoked" | "replaced";
