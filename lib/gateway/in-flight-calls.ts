import { bus } from "@/lib/core/bus";
import { logger } from "@/lib/core/logger";
import { type Doing, type KillCheck, killedBy } from "@/lib/gateway/require-alive";

/** What a server is working on or tells of now, so that a kill switch can end it. */
export type InFlightCalls = {
  /** `stop` is called when the call has to end. The returned function must be called when it is over. */
  readonly enter: (doing: Doing, stop: () => void) => () => void;
  readonly size: () => number;
  readonly close: () => void;
};

type Flight = { readonly doing: Doing; readonly stop: () => void };

/** Without a message (another process, no Redis) the switches themselves are looked at this often. */
const SWEEP_MS = 1_000;

export function makeInFlightCalls(killSwitches: KillCheck): InFlightCalls {
  const flights = new Map<string, Set<Flight>>();

  async function sweep(tenantId: string): Promise<void> {
    const held = flights.get(tenantId);
    if (held === undefined) return;
    const set = await killSwitches(tenantId);
    if (set.size === 0) return;
    for (const flight of held) if (killedBy(set, flight.doing) !== null) flight.stop();
  }

  const sweepSoon = (tenantId: string) => {
    sweep(tenantId).catch((cause: unknown) => logger.warn({ err: cause }, "kill switches could not be read"));
  };
  const timer = setInterval(() => {
    for (const tenantId of flights.keys()) sweepSoon(tenantId);
  }, SWEEP_MS).unref();
  const unsubscribe = bus.subscribe((message) => {
    // After the other listeners: one of them drops what was read before the change.
    if (message.topic === "kill_switch.changed") setImmediate(() => sweepSoon(message.tenantId));
  });

  return {
    enter(doing, stop) {
      const { tenantId } = doing.identity;
      const held = flights.get(tenantId) ?? new Set<Flight>();
      flights.set(tenantId, held);
      const flight = { doing, stop };
      held.add(flight);
      return () => {
        held.delete(flight);
        if (held.size === 0 && flights.get(tenantId) === held) flights.delete(tenantId);
      };
    },
    size: () => [...flights.values()].reduce((sum, held) => sum + held.size, 0),
    close() {
      clearInterval(timer);
      unsubscribe();
    },
  };
}
