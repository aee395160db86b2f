import "server-only";
import { judgeTenant } from "@/lib/alerts/judge-tenant";
import { tellSignals } from "@/lib/alerts/signals";
import { dueTenants, MAX_DUE, postponeTurn } from "@/lib/alerts/turns";
import { logger } from "@/lib/core/logger";
import { singleton } from "@/lib/core/singleton";

/** How often a process looks whose turn it is. */
const TICK_MS = 2_500;
/** Where more of them wait than it takes in one go. */
const SOON_MS = 500;
const MAX_AT_ONCE = 2;

/** Tells what this process sees, then judges every tenant whose turn it is. One that fails does not stop the others. True where more may wait. */
async function alertRound(now: number, isStopping: () => boolean): Promise<boolean> {
  await tellSignals(now).catch((cause: unknown) => logger.warn({ err: cause }, "what this process sees was not told"));
  const due = [...(await dueTenants(now))];
  const isFull = due.length === MAX_DUE;
  const worker = async () => {
    for (let next = due.shift(); next !== undefined && !isStopping(); next = due.shift()) {
      const tenantId = next;
      await judgeTenant(tenantId, now).catch((cause: unknown) => {
        logger.warn({ err: cause, tenantId }, "the alerts of a tenant were not judged; trying again");
        // Else it would be first in line for ever.
        return postponeTurn(tenantId, now).catch(() => undefined);
      });
    }
  };
  await Promise.all(Array.from({ length: MAX_AT_ONCE }, worker));
  return isFull;
}

type Loop = { timer: NodeJS.Timeout | null; round: Promise<unknown>; stopped: boolean };
const loop = singleton("alerts.loop", (): Loop => ({ timer: null, round: Promise.resolve(), stopped: true }));

/** Starts judging; once per process. */
export function startAlerts(): void {
  if (!loop.stopped) return;
  loop.stopped = false;
  const turn = () => {
    loop.round = alertRound(Date.now(), () => loop.stopped)
      .then((more) => again(more ? SOON_MS : TICK_MS))
      .catch((cause: unknown) => {
        logger.warn({ err: cause }, "the alerts could not be judged; trying again");
        again(TICK_MS);
      });
  };
  const again = (pauseMs: number) => {
    if (loop.stopped) return;
    loop.timer = setTimeout(turn, pauseMs * (0.8 + 0.4 * Math.random())).unref();
  };
  again(TICK_MS);
}

/** Stops judging, and waits for what is being judged. */
export async function stopAlerts(): Promise<void> {
  loop.stopped = true;
  if (loop.timer !== null) clearTimeout(loop.timer);
  loop.timer = null;
  await loop.round;
}
