import { bus } from "@/lib/core/bus";
import { logger } from "@/lib/core/logger";
import { openUpstream } from "@/lib/mcp/upstream/open-upstream";
import type { UpstreamPolicy } from "@/lib/mcp/upstream/policy";
import type { Connections, Json, Upstream } from "@/lib/mcp/upstream/protocol";
import type { RegisteredServer } from "@/lib/servers/registered-server";

/** The connections of this process to registered servers: one upstream per tenant and server, opened when first needed. */
export type Upstreams = {
  readonly of: (server: RegisteredServer) => Upstream;
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
};

export type UpstreamsOptions = {
  /** What the clients behind these connections can do when a server asks. */
  readonly capabilities?: Json;
  readonly policy?: UpstreamPolicy;
  /** Which servers may be reached now; asked after a change, so that connections of retired servers are closed. */
  readonly current?: (tenantId: string) => Promise<Iterable<RegisteredServer>>;
};

const REVIEW_AFTER_MS = 250;
const NO_CONNECTIONS: Connections = { open: 0, created: 0, reused: 0 };

/** Holds the connections; each is closed when its server changes, is disabled or retires. */
export function makeUpstreams({ policy, current, capabilities = {} }: UpstreamsOptions = {}): Upstreams {
  const held = new Map<string, Held>();

  function closeSoon(old: Held, afterMs: number): void {
    // Calls in flight may still end well; nothing new is sent here.
    const close = () =>
      old.upstream.close().catch((cause: unknown) => logger.warn({ err: cause }, "closing an upstream failed"));
    setTimeout(() => void close(), afterMs).unref();
  }

  let closed = false;

  async function review(tenantId: string): Promise<void> {
    if (current === undefined || closed) return;
    const versions = new Map([...(await current(tenantId))].map((server) => [server.id, server.version]));
    for (const [id, each] of held) {
      if (each.tenantId !== tenantId || versions.get(id) === each.version) continue;
      held.delete(id);
      closeSoon(each, versions.has(id) ? each.deadlineMs : 0);
    }
  }

  const unsubscribe = bus.subscribe((message) => {
    if (message.topic !== "server.changed") return;
    const { tenantId } = message;
    const warn = (cause: unknown) => logger.warn({ err: cause }, "reviewing upstreams failed");
    setTimeout(() => void review(tenantId).catch(warn), REVIEW_AFTER_MS).unref();
  });

  return {
    of(server) {
      const found = held.get(server.id);
      if (found?.version === server.version) return found.upstream;
      if (found !== undefined) closeSoon(found, found.deadlineMs);
      const { endpoint, credential, deadlineMs, tenantId, slug, version, poolSize } = server;
      const { maxChildren } = server.pool;
      const options = {
        credential,
        deadlineMs,
        capabilities,
        maxChildren,
        ...(policy === undefined ? {} : { policy }),
      };
      const upstream = openUpstream(endpoint, options);
      // Connections of clients that can be asked things are few: there is no base of them to keep.
      upstream.keepWarm?.(Object.keys(capabilities).length === 0 ? poolSize : 1);
      held.set(server.id, { tenantId, slug, version, deadlineMs, upstream });
      return upstream;
    },
    connections(tenantId) {
      const mine = [...held.values()].filter((each) => each.tenantId === tenantId);
      return new Map(mine.map(({ slug, upstream }) => [slug, upstream.connections?.() ?? NO_CONNECTIONS]));
    },
    async close() {
      closed = true;
      unsubscribe();
      const all = [...held.values()];
      held.clear();
      await Promise.allSettled(all.map((each) => each.upstream.close()));
    },
  };
}
