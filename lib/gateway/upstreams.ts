import { bus } from "@/lib/core/bus";
import { steadyClock } from "@/lib/core/clock";
import { logger } from "@/lib/core/logger";
import { openUpstream } from "@/lib/mcp/upstream/open-upstream";
import type { UpstreamPolicy } from "@/lib/mcp/upstream/policy";
import type { Connections, Json, Upstream } from "@/lib/mcp/upstream/protocol";
import type { RegisteredServer } from "@/lib/servers/registered-server";

/** The connections of this process to registered servers: one upstream per server and version, opened when first needed. */
export type Upstreams = {
  readonly of: (server: RegisteredServer) => Upstream;
  /** Whether the server may still be reached, and in this way. */
  readonly isCurrent: (server: RegisteredServer) => Promise<boolean>;
  /** The connections to each of a tenant's servers, by slug. */
  readonly connections: (tenantId: string) => Map<string, Connections>;
  readonly close: () => Promise<void>;
};

type Held = {
  readonly tenantId: string;
  readonly slug: string;
  readonly version: string;
  readonly deadlineMs: number;
  readonly upstream: Upstream;
  usedAt: number;
  /** Set while it is only kept for calls that were given this version before it changed. */
  closing: NodeJS.Timeout | null;
};

export type UpstreamsOptions = {
  /** What the clients behind these connections can do when a server asks. */
  readonly capabilities?: Json;
  readonly policy?: UpstreamPolicy;
  /** Which servers may be reached now, and how; connections of all others are closed. Where nothing is given, none are. */
  readonly current?: (tenantId: string) => Promise<Iterable<RegisteredServer>>;
  /** Connections that nobody asked for as long as this are closed: longer than any call lasts, because it may hold one. */
  readonly idleMs?: number;
};

const REVIEW_AFTER_MS = 250;
const NO_CONNECTIONS: Connections = { open: 0, created: 0, reused: 0 };

function open(server: RegisteredServer, capabilities: Json, policy: UpstreamPolicy | undefined): Upstream {
  const { endpoint, credential, deadlineMs, poolSize } = server;
  const { maxChildren } = server.pool;
  const options = { credential, deadlineMs, capabilities, maxChildren };
  const upstream = openUpstream(endpoint, policy === undefined ? options : { ...options, policy });
  // Connections of clients that can be asked things are few: there is no base of them to keep.
  upstream.keepWarm?.(Object.keys(capabilities).length === 0 ? poolSize : 1);
  return upstream;
}

/** Closes what nobody asked for; returns the function that stops looking. */
function reapIdle(
  held: ReadonlyMap<string, readonly Held[]>,
  idleMs: number,
  end: (id: string, over: Held) => void,
): () => void {
  const look = () => {
    const before = steadyClock.now() - idleMs;
    for (const [id, all] of [...held]) for (const each of all) if (each.usedAt < before) end(id, each);
  };
  const timer = setInterval(look, idleMs / 4).unref();
  return () => clearInterval(timer);
}

/** Holds the connections; each is closed when its server changes, is disabled or retires. */
export function makeUpstreams({ policy, current, capabilities = {}, idleMs }: UpstreamsOptions = {}): Upstreams {
  // Who was given a server before it changed may only now be about to call it. Both ways to it are open for that moment:
  // if one closed the other, whoever still holds the older one would close the newer again and again.
  const held = new Map<string, readonly Held[]>();

  let closed = false;

  function end(id: string, over: Held): void {
    if (over.closing !== null) clearTimeout(over.closing);
    const rest = (held.get(id) ?? []).filter((each) => each !== over);
    if (rest.length === 0) held.delete(id);
    else held.set(id, rest);
    over.upstream.close().catch((cause: unknown) => logger.warn({ err: cause }, "closing an upstream failed"));
  }

  /** Closes every way to a server but the one that is in force; all of them where it may not be reached any more. */
  function keepOnly(id: string, inForce: string | undefined): void {
    for (const each of held.get(id) ?? []) {
      if (each.version === inForce) {
        if (each.closing !== null) clearTimeout(each.closing);
        each.closing = null;
      } else if (inForce === undefined) end(id, each);
      // Calls in flight may still end well, and late ones find it: another one in its place would be one more to close.
      else each.closing ??= setTimeout(() => end(id, each), each.deadlineMs).unref();
    }
  }

  async function review(tenantId: string): Promise<void> {
    if (current === undefined || closed) return;
    const versions = new Map([...(await current(tenantId))].map((server) => [server.id, server.version]));
    for (const [id, [first]] of [...held]) if (first?.tenantId === tenantId) keepOnly(id, versions.get(id));
  }

  const toReview = new Set<string>();
  function reviewSoon(tenantId: string): void {
    if (current === undefined || toReview.has(tenantId)) return;
    toReview.add(tenantId);
    const warn = (cause: unknown) => logger.warn({ err: cause }, "reviewing upstreams failed");
    const begin = () => {
      toReview.delete(tenantId);
      review(tenantId).catch(warn);
    };
    setTimeout(begin, REVIEW_AFTER_MS).unref();
  }

  const unsubscribe = bus.subscribe((message) => {
    if (message.topic === "server.changed") reviewSoon(message.tenantId);
  });
  const stopReaping = idleMs === undefined ? () => undefined : reapIdle(held, idleMs, end);

  return {
    of(server) {
      const { id, version, tenantId, slug, deadlineMs } = server;
      const all = held.get(id) ?? [];
      const found = all.find((each) => each.version === version);
      if (found !== undefined) {
        found.usedAt = steadyClock.now();
        return found.upstream;
      }
      const upstream = open(server, capabilities, policy);
      const usedAt = steadyClock.now();
      held.set(id, [...all, { tenantId, slug, version, deadlineMs, upstream, usedAt, closing: null }]);
      // The announcement of a change may have come before this one was opened, or may never come.
      reviewSoon(tenantId);
      return upstream;
    },
    async isCurrent({ tenantId, id, version }) {
      if (current === undefined) return true;
      return [...(await current(tenantId))].some((server) => server.id === id && server.version === version);
    },
    connections(tenantId) {
      const mine = [...held.values()].flat().filter((each) => each.tenantId === tenantId && each.closing === null);
      return new Map(mine.map(({ slug, upstream }) => [slug, upstream.connections?.() ?? NO_CONNECTIONS]));
    },
    async close() {
      closed = true;
      unsubscribe();
      stopReaping();
      const all = [...held.values()].flat();
      held.clear();
      for (const { closing } of all) if (closing !== null) clearTimeout(closing);
      await Promise.allSettled(all.map((each) => each.upstream.close()));
    },
  };
}
