const FIRST_WAIT_MS = 5_000;
const LONGEST_WAIT_MS = 3_600_000;
/** A notice that nobody took for a day is history, which the console tells. */
export const GIVE_UP_AFTER_MS = 24 * 3_600_000;

/**
 * How long to wait after attempt number `attempts` failed: five seconds, doubling to an hour, spread by a fifth either way
 * so that notices that failed together do not come back together. A receiver that names a later time is obeyed, up to an hour.
 */
export function waitMs(attempts: number, retryAfterMs: number | null, random: () => number = Math.random): number {
  const doubled = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.max(0, attempts - 1));
  const own = doubled * (0.8 + 0.4 * random());
  return Math.round(Math.max(own, Math.min(retryAfterMs ?? 0, LONGEST_WAIT_MS)));
}

/** `Retry-After` in milliseconds (RFC 9110 §10.2.3), a number of seconds or a date; null where it says nothing usable. */
export function retryAfterOf(header: string | readonly string[] | undefined, now: number): number | null {
  const text = typeof header === "string" ? header.trim() : "";
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000;
  const at = text === "" ? Number.NaN : Date.parse(text);
  return Number.isNaN(at) || at <= now ? null : at - now;
}
