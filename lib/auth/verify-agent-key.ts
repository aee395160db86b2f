import "server-only";
import { LRUCache } from "lru-cache";
import type { AgentIdentity, AgentKeyCheck } from "@/lib/auth/agent-identity";
import { agentKeyHash, type LookedUp, lookUpAgentKey } from "@/lib/auth/agent-key-lookup";
import { type BusMessage, bus } from "@/lib/core/bus";
import { steadyClock } from "@/lib/core/clock";
import { singleton } from "@/lib/core/singleton";
import type { Soon } from "@/lib/core/soon";

export type { AgentIdentity, AgentKeyCheck } from "@/lib/auth/agent-identity";

/** A revoked key stops within this much even if no announcement arrives. */
const TTL_MS = 2_000;
const KEY = /^cs_[A-Za-z0-9_-]{43}$/;

/** `loadedAt` by the steady clock: an age must not depend on the time of day. */
type Cached = LookedUp & { readonly loadedAt: number };
type KeyCache = {
  readonly good: LRUCache<string, Cached>;
  /** Apart from the good ones, so that guessing keys cannot push them out. */
  readonly bad: LRUCache<string, Cached>;
  readonly loading: Map<string, Promise<AgentKeyCheck>>;
  /** Counts announcements: what was asked before one may be stale and is not kept. */
  epoch: number;
};

const cache = (): KeyCache =>
  singleton("auth.agent-keys", () => {
    const made: KeyCache = {
      good: new LRUCache({ max: 20_000 }),
      bad: new LRUCache({ max: 2_000 }),
      loading: new Map(),
      epoch: 0,
    };
    bus.subscribe((message) => drop(made, message));
    return made;
  });

function drop(from: KeyCache, message: BusMessage): void {
  if (message.topic !== "agent.changed" && message.topic !== "role.changed" && message.topic !== "tenant.changed")
    return;
  from.epoch += 1;
  from.loading.clear();
  for (const kept of [from.good, from.bad]) {
    for (const [key, { check }] of kept.entries()) {
      const tenantId = check.ok ? check.identity.tenantId : check.known?.tenantId;
      if (tenantId === undefined || tenantId === message.tenantId) kept.delete(key);
    }
  }
}

/**
 * Checks a presented key and says why it is refused. Answers from memory for at most two seconds. `now` is the time of day,
 * by which keys and grants expire; `steady` is what ages are told by.
 */
export function checkAgentKey(secret: string, now = Date.now(), steady = steadyClock.now()): Soon<AgentKeyCheck> {
  if (!KEY.test(secret)) return { ok: false, reason: "malformed", known: null };
  const held = cache();
  const id = agentKeyHash(secret);
  const known = held.good.get(id) ?? held.bad.get(id);
  const age = known === undefined ? Infinity : steady - known.loadedAt;
  if (known === undefined || age >= TTL_MS || now >= known.validUntil)
    return held.loading.get(id) ?? load(held, id, now, steady);
  // Asked again before it is too old, so that under load nobody waits for the database.
  if (age >= TTL_MS / 2 && !held.loading.has(id)) load(held, id, now, steady).catch(() => undefined);
  return known.check;
}

function load(held: KeyCache, id: string, now: number, steady: number): Promise<AgentKeyCheck> {
  const asked = lookUp(held, id, now, steady);
  held.loading.set(id, asked);
  return asked;
}

async function lookUp(held: KeyCache, id: string, now: number, steady: number): Promise<AgentKeyCheck> {
  const { epoch } = held;
  try {
    const found = await lookUpAgentKey(Buffer.from(id, "base64"), now);
    if (held.epoch === epoch) {
      const [is, isNot] = found.check.ok ? [held.good, held.bad] : [held.bad, held.good];
      isNot.delete(id);
      is.set(id, { ...found, loadedAt: steady });
    }
    return found.check;
  } finally {
    if (held.epoch === epoch) held.loading.delete(id);
  }
}

/** The identity behind a key, or null. */
export async function verifyAgentKey(secret: string): Promise<AgentIdentity | null> {
  const check = await checkAgentKey(secret);
  return check.ok ? check.identity : null;
}
