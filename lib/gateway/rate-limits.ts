import { LRUCache } from "lru-cache";
import { type Clock, steadyClock } from "@/lib/core/clock";
import { type Bucket, type Rate, refill, shareOf, waitMs } from "@/lib/resilience/token-bucket";

export type LimitScope = "agent" | "tenant" | "global";
export type Limited = { readonly scope: LimitScope; readonly key: string; readonly rate: Rate };

/** What is left of the scarcest limit that a call counts against. */
export type LimitState = {
  readonly scope: LimitScope;
  /** Calls per second. */
  readonly limit: number;
  /** Calls that would be let through at once. */
  readonly remaining: number;
  /** How long until all of the burst is there again. */
  readonly resetMs: number;
};

export type Spent =
  | { readonly ok: true; readonly state: LimitState }
  | { readonly ok: false; readonly state: LimitState; readonly retryAfterMs: number };

/** Counts that several processes keep together, e.g. in Redis. */
export type SharedCounts = {
  /** False while it cannot be reached: then each process keeps to its own share. */
  readonly ready: () => boolean;
  /** Takes up to `want` calls out of the common bucket; `waitMs` is how long until there is one where none was given. */
  readonly take: (key: string, rate: Rate, want: number) => Promise<Taken>;
};
export type Taken = { readonly given: number; readonly left: number; readonly waitMs: number };

export type RateLimits = {
  /** Counts one call against all of `limits`, or against none when one of them is used up. */
  readonly spend: (limits: readonly Limited[]) => Spent | Promise<Spent>;
};

type Lease = {
  tokens: number;
  left: number;
  /** Nothing is in the common bucket before this. */
  emptyUntil: number;
  goodUntil: number;
  /** Calls since `since`, to know how many to fetch at once. */
  used: number;
  since: number;
  /** How much was asked for last. */
  size: number;
  fetching: Promise<void> | null;
};

export type RateLimitOptions = {
  /** Must not be set back: what is empty until a moment would stay refused until that moment comes again. */
  readonly clock?: Clock;
  /** How many processes serve now, as far as is known. */
  readonly processes: () => number;
  readonly shared: SharedCounts | null;
};

const MAX_KEYS = 50_000;
/** A lease is what this much time is likely to use: large enough to ask seldom, small enough to be no loss. */
const LEASE_MS = 50;
const LEASE_GOOD_MS = 1_000;
/** After a failure the common counts are left alone this long. */
const LEAVE_ALONE_MS = 1_000;

/**
 * Token buckets. With common counts each process takes small leases out of one bucket, so a call seldom waits for the
 * network; without them, or while they are away, each keeps to the limit divided by the number of processes.
 */
export function makeRateLimits({ clock = steadyClock, processes, shared }: RateLimitOptions): RateLimits {
  const shares = makeShares(clock, processes, shared === null);
  if (shared === null) return { spend: shares.spend };
  const leases = makeLeases(clock, shared);
  let away = false;
  return {
    spend(limits) {
      const isAway = !shared.ready() || leases.failing();
      if (isAway !== away) {
        away = isAway;
        shares.beginAnew();
        leases.clear();
      }
      if (isAway) return shares.spend(limits);
      return leases.spend(limits).then((spent) => spent ?? shares.spend(limits));
    },
  };
}

/**
 * What a process has at most that has just lost the common bucket, which may have been empty: one lease of its share,
 * so that calls under way are not refused for the loss, and no more.
 */
const afterLoss = ({ perSecond, burst }: Rate): number => Math.max(1, Math.min(burst, (perSecond * LEASE_MS) / 1_000));

/** `beginning`: which of the times that the share was turned to it is from. */
type ShareBucket = Bucket & { beginning: number };

/** Buckets of this process alone. */
function makeShares(clock: Clock, processes: () => number, startFull: boolean) {
  const buckets = new LRUCache<string, ShareBucket>({ max: MAX_KEYS });
  let beginning = 0;

  /** What was spent of the share stays spent however often the common counts go away: with a new bucket each time it would be no limit. */
  function bucketOf(key: string, share: Rate, now: number): ShareBucket {
    const found = buckets.get(key);
    if (found === undefined) {
      const made = { tokens: startFull ? share.burst : afterLoss(share), at: now, beginning };
      buckets.set(key, made);
      return made;
    }
    if (found.beginning !== beginning) {
      found.tokens = Math.min(refill(found, share, now), afterLoss(share));
      found.beginning = beginning;
    }
    return found;
  }

  function spend(limits: readonly Limited[]): Spent {
    const now = clock.now();
    const parts = Math.max(1, processes());
    const held = limits.map(({ key, rate }) => {
      const share = shareOf(rate, parts);
      const bucket = bucketOf(key, share, now);
      return { bucket, tokens: refill(bucket, share, now), share };
    });
    const short = held.findIndex(({ tokens }) => tokens < 1);
    if (short >= 0) {
      const { tokens, share } = at(held, short);
      return refusal(at(limits, short), waitMs(tokens, 1, share));
    }
    for (const { bucket } of held) bucket.tokens -= 1;
    return { ok: true, state: scarcest(limits, (index) => at(held, index).bucket.tokens) };
  }

  return {
    spend,
    beginAnew: () => {
      beginning += 1;
    },
  };
}

/** Small parts of common buckets, fetched when one is used up. */
function makeLeases(clock: Clock, shared: SharedCounts) {
  const leases = new LRUCache<string, Lease>({ max: MAX_KEYS });
  let leftAloneUntil = 0;

  function leaseOf(key: string, now: number): Lease {
    const found = leases.get(key);
    if (found !== undefined) {
      if (found.goodUntil < now) found.tokens = 0;
      return found;
    }
    const made: Lease = {
      tokens: 0,
      left: 0,
      emptyUntil: 0,
      goodUntil: 0,
      used: 0,
      since: now,
      size: 1,
      fetching: null,
    };
    leases.set(key, made);
    return made;
  }

  function fetch({ key, rate }: Limited, lease: Lease): Promise<void> {
    const now = clock.now();
    const likely = (lease.used * LEASE_MS) / Math.max(1, now - lease.since);
    // Grown by doubling: a few calls at once are no reason to take what others may need.
    lease.size = Math.max(1, Math.floor(Math.min(rate.burst, likely, lease.size * 2)));
    lease.used = 0;
    lease.since = now;
    lease.fetching = shared.take(key, rate, lease.size).then(
      ({ given, left, waitMs: wait }) => {
        lease.fetching = null;
        lease.tokens += given;
        lease.left = left;
        const then = clock.now();
        lease.goodUntil = then + LEASE_GOOD_MS;
        if (given === 0) lease.emptyUntil = then + wait;
      },
      () => {
        lease.fetching = null;
        leftAloneUntil = clock.now() + LEAVE_ALONE_MS;
      },
    );
    return lease.fetching;
  }

  /** Null when the common counts went away meanwhile. */
  async function spend(limits: readonly Limited[]): Promise<Spent | null> {
    for (;;) {
      const spent = trySpend(limits);
      if (!("asked" in spent)) return spent;
      await Promise.all(spent.asked);
      if (clock.now() < leftAloneUntil) return null;
    }
  }

  function trySpend(limits: readonly Limited[]): Spent | { readonly asked: readonly Promise<void>[] } {
    const now = clock.now();
    const held = limits.map(({ key }) => leaseOf(key, now));
    for (const lease of held) lease.used += 1;
    if (held.every((lease) => lease.tokens >= 1)) {
      for (const lease of held) lease.tokens -= 1;
      return { ok: true, state: scarcest(limits, (index) => at(held, index).tokens + at(held, index).left) };
    }
    const empty = held.findIndex((lease) => lease.tokens < 1 && lease.emptyUntil > now);
    if (empty >= 0) return refusal(at(limits, empty), Math.max(1, Math.ceil(at(held, empty).emptyUntil - now)));
    const asked = held.flatMap((lease, index) =>
      lease.tokens < 1 ? [lease.fetching ?? fetch(at(limits, index), lease)] : [],
    );
    return { asked };
  }

  return { spend, failing: () => clock.now() < leftAloneUntil, clear: () => leases.clear() };
}

function at<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) throw new RangeError("no such limit");
  return item;
}

function scarcest(limits: readonly Limited[], left: (index: number) => number): LimitState {
  let least = 0;
  for (let index = 1; index < limits.length; index += 1) if (left(index) < left(least)) least = index;
  return stateOf(at(limits, least), left(least));
}

const stateOf = ({ scope, rate }: Limited, tokens: number): LimitState => ({
  scope,
  limit: rate.perSecond,
  remaining: Math.max(0, Math.floor(tokens)),
  resetMs: waitMs(tokens, rate.burst, rate),
});

const refusal = (limited: Limited, retryAfterMs: number): Spent => ({
  ok: false,
  state: stateOf(limited, 0),
  retryAfterMs: Math.max(1, retryAfterMs),
});
