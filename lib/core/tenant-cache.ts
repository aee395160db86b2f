import { LRUCache } from "lru-cache";
import { type BusMessage, bus } from "@/lib/core/bus";
import { type Clock, steadyClock } from "@/lib/core/clock";
import { singleton } from "@/lib/core/singleton";
import type { Soon } from "@/lib/core/soon";

/** How long a value may be used after it was read: with it a change reaches every process even when no message does. */
export const MAX_AGE_MS = 2_000;

type Slot<T> = { readonly value: T; readonly readAt: number };
type Loading<T> = { readonly promise: Promise<T>; readonly readAt: number };

export type TenantCache<T> = {
  /** At once while it is known; a promise while it is read. */
  readonly get: (tenantId: string) => Soon<T>;
  readonly drop: (tenantId: string) => void;
};

export type TenantCacheOptions<T> = {
  /** Reads the value; `previous` lets it answer with the same object when nothing changed. */
  readonly load: (tenantId: string, previous: T | undefined) => Promise<T>;
  readonly dropOn?: (message: BusMessage) => boolean;
  readonly maxAgeMs?: number;
  readonly clock?: Clock;
};

/**
 * One value per tenant, at most `maxAgeMs` old counted from before it was read, dropped by the bus at once.
 * A failed read is thrown and never answered with an old value: what decides about access must not outlive its source.
 */
export function makeTenantCache<T>(options: TenantCacheOptions<T>): TenantCache<T> {
  const { load, maxAgeMs = MAX_AGE_MS, clock = steadyClock } = options;
  const slots = new LRUCache<string, Slot<T>>({ max: 5_000 });
  const loading = new Map<string, Loading<T>>();

  const read = (tenantId: string): Promise<T> => {
    const readAt = clock.now();
    const promise = load(tenantId, slots.peek(tenantId)?.value);
    const mine: Loading<T> = { promise, readAt };
    loading.set(tenantId, mine);
    const settle = (): boolean => {
      if (loading.get(tenantId) !== mine) return false;
      loading.delete(tenantId);
      return true;
    };
    promise.then(
      // A read that began before a change was announced is not kept.
      (value) => settle() && slots.set(tenantId, { value, readAt }),
      settle,
    );
    return promise;
  };

  const current = (tenantId: string): Promise<T> => {
    const running = loading.get(tenantId);
    return running !== undefined && clock.now() - running.readAt < maxAgeMs ? running.promise : read(tenantId);
  };

  const cache: TenantCache<T> = {
    get(tenantId) {
      const slot = slots.get(tenantId);
      if (slot === undefined) return current(tenantId);
      const age = clock.now() - slot.readAt;
      if (age >= maxAgeMs) return current(tenantId);
      // Read again before it is too old, so that under load nobody waits.
      if (age >= maxAgeMs / 2 && !loading.has(tenantId)) read(tenantId).catch(() => undefined);
      return slot.value;
    },
    drop(tenantId) {
      slots.delete(tenantId);
      loading.delete(tenantId);
    },
  };
  bus.subscribe((message) => {
    if ("tenantId" in message && options.dropOn?.(message) === true) cache.drop(message.tenantId);
  });
  return cache;
}

/** The process-wide cache of that name. */
export const tenantCache = <T>(name: string, options: TenantCacheOptions<T>): TenantCache<T> =>
  singleton(`tenant-cache:${name}`, () => makeTenantCache(options));
