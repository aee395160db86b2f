import "server-only";
import { LRUCache } from "lru-cache";
import { gatewayId } from "@/lib/audit/gateway-identity";
import { logger } from "@/lib/core/logger";
import { singleton } from "@/lib/core/singleton";
import { getGateway } from "@/lib/gateway/compose";
import type { Upstreams } from "@/lib/gateway/upstreams";
import { listUpstreamTools } from "@/lib/mcp/upstream/list-tools";
import { toProbedTool } from "@/lib/mcp/upstream/probe-upstream";
import { startDeadline } from "@/lib/resilience/deadline";
import { type ListTools, lookAt, takeTurn } from "@/lib/servers/health/check-server";
import type { HealthState } from "@/lib/servers/health/health-rules";
import { type DueServer, dueServers } from "@/lib/servers/health/health-store";

/** How often a process looks whose turn it is. Each server has its turn every thirty seconds, whatever the number of processes. */
const TICK_MS = 5_000;

/** How many servers are asked at once: each may take all of its deadline to say nothing, and a tenant's may all do so. */
const AT_ONCE = 48;
const AT_ONCE_PER_TENANT = 8;
/** Those that were down when last asked leave room for those that answer. */
const DOWN_AT_ONCE = 16;
const DOWN_AT_ONCE_PER_TENANT = 4;
const MAX_KNOWN_DOWN = 10_000;

/** Lists over the connection that calls use. No call, so no circuit hears of it. */
export const listOver =
  (upstreams: Pick<Upstreams, "of">): ListTools =>
  async (server, deadlineMs) => {
    const deadline = startDeadline(deadlineMs);
    try {
      const { items, cut } = await listUpstreamTools(upstreams.of(server), deadline);
      return { tools: items.map(toProbedTool), cut };
    } finally {
      deadline.release();
    }
  };

export type HealthTurnsOptions = { readonly processId: string; readonly list: ListTools };

export type HealthTurns = {
  /** Finds whose turn it is and begins with as many as there are places for, without waiting for what they say. */
  readonly look: () => Promise<void>;
  /** Begins no more, and waits for what is being asked. */
  readonly end: () => Promise<void>;
};

/**
 * Asks servers whose turn it is, each as soon as there is a place for it: one that hangs holds its own place and no other,
 * and a tenant whose servers all hang holds its share. Who finds no place is found again by the next look.
 */
export function makeHealthTurns({ processId, list }: HealthTurnsOptions): HealthTurns {
  const places = makePlaces();
  const running = new Set<Promise<void>>();
  let waiting: DueServer[] = [];
  let isBeginning = false;
  let beginning = Promise.resolve();

  async function turn(due: DueServer, before: HealthState, leave: (state: HealthState) => void): Promise<void> {
    const state = await lookAt(due, before, list).catch((cause: unknown) => failed(due, cause));
    leave(state ?? before);
  }

  /** Turns are taken one after the other, so that calls need not wait for the database. */
  async function beginAll(): Promise<void> {
    isBeginning = true;
    for (let due = takeNext(); due !== undefined; due = takeNext()) {
      const server = due;
      const before = await takeTurn(server, processId).catch((cause: unknown) => failed(server, cause));
      if (before === null) continue;
      const asked = turn(server, before, places.take(server)).then(() => {
        running.delete(asked);
        begin();
      });
      running.add(asked);
    }
    isBeginning = false;
  }

  function begin(): void {
    if (!isBeginning) beginning = beginAll();
  }

  function takeNext(): DueServer | undefined {
    const at = waiting.findIndex(places.isFree);
    return at < 0 ? undefined : waiting.splice(at, 1)[0];
  }

  return {
    async look() {
      waiting = [...(await dueServers(processId))];
      begin();
      await beginning;
    },
    async end() {
      waiting = [];
      await beginning;
      await Promise.all(running);
    },
  };
}

function failed({ serverId }: DueServer, cause: unknown): null {
  logger.warn({ err: cause, serverId }, "a health check failed on our side");
  return null;
}

/** Counts who is being asked: in all, of a tenant, and the same of those that are known to be down. */
function makePlaces() {
  const taken = new Map<string, number>();
  const down = new LRUCache<string, true>({ max: MAX_KNOWN_DOWN });

  const placesOf = ({ tenantId, serverId }: DueServer): readonly (readonly [string, number])[] => {
    const common = [["all", AT_ONCE] as const, [tenantId, AT_ONCE_PER_TENANT] as const];
    if (!down.has(serverId)) return common;
    return [...common, ["down", DOWN_AT_ONCE], [`down of ${tenantId}`, DOWN_AT_ONCE_PER_TENANT]];
  };
  const count = (place: string, by: 1 | -1) => {
    const now = (taken.get(place) ?? 0) + by;
    if (now === 0) taken.delete(place);
    else taken.set(place, now);
  };

  return {
    isFree: (due: DueServer): boolean => placesOf(due).every(([place, most]) => (taken.get(place) ?? 0) < most),
    /** Returns what gives the places back. */
    take(due: DueServer): (state: HealthState) => void {
      const mine = placesOf(due);
      for (const [place] of mine) count(place, 1);
      return ({ status }) => {
        for (const [place] of mine) count(place, -1);
        if (status === "unavailable") down.set(due.serverId, true);
        else down.delete(due.serverId);
      };
    },
  };
}

type Loop = { timer: NodeJS.Timeout | null; turns: HealthTurns | null; looking: Promise<void> };
const loop = singleton("gateway.health", (): Loop => ({ timer: null, turns: null, looking: Promise.resolve() }));

/** Starts asking; once per process. */
export function startHealthLoop(): void {
  if (loop.turns !== null) return;
  const turns = makeHealthTurns({
    processId: gatewayId(),
    list: (server, deadlineMs) => listOver(getGateway().upstreams)(server, deadlineMs),
  });
  loop.turns = turns;
  const look = () => {
    loop.looking = turns
      .look()
      .catch((cause: unknown) => logger.warn({ err: cause }, "the health loop could not look"))
      .finally(again);
  };
  const again = () => {
    if (loop.turns !== turns) return;
    loop.timer = setTimeout(look, TICK_MS * (0.8 + 0.4 * Math.random())).unref();
  };
  again();
}

/** Stops asking, and waits for what is being asked. */
export async function stopHealthLoop(): Promise<void> {
  const { turns } = loop;
  loop.turns = null;
  if (loop.timer !== null) clearTimeout(loop.timer);
  loop.timer = null;
  await loop.looking;
  await turns?.end();
}
