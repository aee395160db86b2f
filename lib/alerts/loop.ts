import "server-only";
import { judgeTenant } from "@/lib/alerts/judge-tenant";
import { tellSignals } from "@/lib/alerts/signals";
import { dueTenants } from "@/lib/alerts/turns";
import { logger } from "@/lib/core/logger";
import { singleton } from "@/lib/core/singleton";

/** How often a process looks whose turn it is. */
const TICK_MS = 2_500;
const MAX_AT_ONCE = 2;

/** Tells what this process sees, then judges every tenant whose turn it is. One that fails does not stop the others. */
export async function alertRound(now = Date.now(), isStopping = () => false): Promise<number> {
  await tellSignals(now);
  const due = [...(await dueTenants(now))];
  let judged = 0;
  const worker = async () => {
    for (let next = due.shift(); next !== undefined && !isStopping(); next = due.shift()) {
      const tenantId = next;
      const done = await judgeTenant(tenantId, now).catch((cause: unknown) => {
        logger.warn({ err: cause, tenantId }, "the alerts of a tenant were not judged; trying again");
        return false;
      });
      if (done) judged += 1;
    }
  };
  await Promise.all(Array.from({ length: MAX_AT_ONCE }, worker));
  return judged;
}

type Loop = { timer: NodeJS.Timeout | null; round: Promise<unknown>; stopped: boolean };
const loop = singleton("alerts.loop", (): Loop => ({ timer: null, round: Promise.resolve(), stopped: true }));

/** Starts judging; once per process. */
export function startAlerts(): void {
  if (!loop.stopped) return;
  loop.stopped = false;
  const turn = () => {
    loop.round = alertRound(Date.now(), () => loop.stopped)
      .catch((cause: unknown) => logger.warn({ err: cause }, "the alerts could not be judged; trying again"))
      .finally(again);
  };
  const again = () => {
    if (loop.stopped) return;
    loop.timer = setTimeout(turn, TICK_MS * (0.8 + 0.4 * Math.random())).unref();
  };
  again();
}

/** Stops judging, and waits for what is being judged. */
export async function stopAlerts(): Promise<void> {
  loop.stopped = true;
  if (loop.timer !== null) clearTimeout(loop.timer);
  loop.timer = null;
  await loop.round;
}
