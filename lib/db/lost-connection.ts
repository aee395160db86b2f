import { AppError } from "@/lib/core/errors";

/** What PostgreSQL, `pg` and Prisma say when there is no database to talk to right now. */
const LOST = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ENOENT",
  "EPIPE",
  "ETIMEDOUT",
  "25006", // a standby, or a server in the middle of a failover: it takes no writes
  "25P03", // the session was silent in the middle of a transaction for too long
  "53300", // too many connections
  "57P01", // terminated by an administrator
  "57P02", // crash of another backend
  "57P03", // starting up or shutting down
  "08000",
  "08003",
  "08006",
  "P1001",
  "P1002",
  "P1017",
  "P2024", // no connection free in time
  "P2028", // the transaction could not be started in time
]);

const LOST_WORDS =
  /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error/;

/** True when the failure is the database being away, not the statement being wrong. */
export function isLostConnection(cause: unknown): boolean {
  if (typeof cause !== "object" || cause === null) return false;
  const code = (cause as { code?: unknown }).code;
  if (typeof code === "string" && LOST.has(code)) return true;
  return cause instanceof Error && LOST_WORDS.test(cause.message);
}

/** Names the one failure callers may wait out; everything else passes unchanged. */
export function orUnavailable(cause: unknown): unknown {
  return isLostConnection(cause)
    ? new AppError("unavailable", "The database cannot be reached.", { retryAfterMs: 1000 }, cause)
    : cause;
}

const unsent = new WeakSet<object>();

/** The same where no connection could be had in the first place: whoever is told so knows that nothing was sent. */
export function orUnreachable(cause: unknown): unknown {
  const named = orUnavailable(cause);
  if (typeof named === "object" && named !== null) unsent.add(named);
  return named;
}

/** True when what failed never left this process. */
export const isUnsent = (cause: unknown): boolean => typeof cause === "object" && cause !== null && unsent.has(cause);
