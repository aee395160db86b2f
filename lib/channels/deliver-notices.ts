import "server-only";
import { toTold } from "@/lib/channels/internal";
import { type ClaimedNotice, claimNotice, type DueChannel, dueChannels, endAttempt } from "@/lib/channels/notice-store";
import { waitMs } from "@/lib/channels/retry-rules";
import { sendNotice, type TimedSent } from "@/lib/channels/send-notice";
import { logger } from "@/lib/core/logger";
import { singleton } from "@/lib/core/singleton";

const TICK_MS = 2_000;
const MAX_AT_ONCE = 16;
/** A tenant whose receivers all hang must not take every place. */
const MAX_OF_TENANT = 4;

export type DeliveryOptions = {
  /** How long one attempt may last; for tests. */
  readonly deadlineMs?: number;
};

export type Delivery = {
  /** Looks what is due and begins with it, without waiting for receivers: a slow one holds up nobody else. */
  readonly look: () => Promise<void>;
  /** Waits for what was begun. */
  readonly settled: () => Promise<void>;
  /** Begins nothing more. */
  readonly stop: () => void;
};

/** Delivers waiting notices. Any number of these, in any number of processes, deliver each notice once between them. */
export function makeDelivery(options: DeliveryOptions = {}): Delivery {
  const busy = new Map<string, { readonly tenantId: string; readonly done: Promise<void> }>();
  let isStopped = false;

  const hasPlace = ({ tenantId, channelId }: DueChannel): boolean =>
    busy.size < MAX_AT_ONCE &&
    !busy.has(channelId) &&
    [...busy.values()].filter((other) => other.tenantId === tenantId).length < MAX_OF_TENANT;

  async function empty(channel: DueChannel): Promise<void> {
    while (!isStopped) {
      const notice = await claimNotice(channel);
      // A receiver that did not take this one is left alone until its time has come.
      if (notice === null || !(await deliver(notice, options))) return;
    }
  }

  return {
    async look() {
      for (const channel of await dueChannels()) {
        if (isStopped || !hasPlace(channel)) continue;
        const { tenantId, channelId } = channel;
        const done = empty(channel)
          .catch((cause: unknown) =>
            logger.warn({ err: cause, tenantId, channelId }, "notices were not delivered; trying again"),
          )
          .finally(() => busy.delete(channelId));
        busy.set(channelId, { tenantId, done });
      }
    },
    async settled() {
      await Promise.all([...busy.values()].map(({ done }) => done));
    },
    stop() {
      isStopped = true;
    },
  };
}

/** One attempt; true where the next one may follow at once. */
async function deliver(notice: ClaimedNotice, { deadlineMs }: DeliveryOptions): Promise<boolean> {
  const timed = notice.enabled
    ? await sendNotice({ ...notice, id: notice.channelId }, toTold(notice), deadlineMs)
    : SWITCHED_OFF;
  const retryAfterMs = timed.sent.delivered ? null : timed.sent.retryAfterMs;
  const state = await endAttempt(notice, { ...timed, waitMs: waitMs(notice.attempt, retryAfterMs) });
  const { tenantId, channelId, id } = notice;
  if (state === "failed") logger.warn({ tenantId, channelId, noticeId: id }, "a notice about an alert was given up");
  return timed.sent.delivered || !notice.enabled;
}

const SWITCHED_OFF: TimedSent = {
  sent: {
    ...{ delivered: false, status: null, final: true, retryAfterMs: null },
    error: "The channel was switched off or deleted before it could be delivered.",
  },
  durationMs: 0,
};

type Loop = { timer: NodeJS.Timeout | null; look: Promise<unknown>; delivery: Delivery | null };
const loop = singleton("channels.delivery", (): Loop => ({ timer: null, look: Promise.resolve(), delivery: null }));

/** Starts delivering; once per process. */
export function startNotices(): void {
  if (loop.delivery !== null) return;
  const delivery = makeDelivery();
  loop.delivery = delivery;
  const turn = () => {
    loop.look = delivery
      .look()
      .catch((cause: unknown) => logger.warn({ err: cause }, "could not look for notices to deliver; trying again"))
      .finally(again);
  };
  const again = () => {
    if (loop.delivery !== delivery) return;
    loop.timer = setTimeout(turn, TICK_MS * (0.8 + 0.4 * Math.random())).unref();
  };
  again();
}

/** Begins nothing more, and waits for what is being delivered. */
export async function stopNotices(): Promise<void> {
  const { delivery } = loop;
  loop.delivery = null;
  if (loop.timer !== null) clearTimeout(loop.timer);
  loop.timer = null;
  delivery?.stop();
  await loop.look;
  await delivery?.settled();
}
