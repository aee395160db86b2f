import type { Upstream } from "@/lib/mcp/upstream/protocol";
import { openStdioUpstream, type StdioUpstreamOptions } from "@/lib/mcp/upstream/stdio";

type Child = { readonly upstream: Upstream; inFlight: number; idleSince: number };

const IDLE_MS = 60_000;
const REAP_EVERY_MS = 10_000;

/**
 * Several programs of one server side by side, for servers that keep no state: each request goes to the one with the
 * fewest, a further one is started when all are busy, and those that idle are ended but for the first.
 */
export function openStdioChildren(options: StdioUpstreamOptions, maxChildren: number): Upstream {
  const first: Child = { upstream: openStdioUpstream(options), inFlight: 0, idleSince: Date.now() };
  const children = [first];
  let [ended, reused] = [0, 0];

  function leastBusy(): Child {
    const least = children.reduce((best, each) => (each.inFlight < best.inFlight ? each : best));
    if (least.inFlight === 0 || children.length >= maxChildren) return least;
    const child: Child = { upstream: openStdioUpstream(options), inFlight: 0, idleSince: Date.now() };
    children.push(child);
    return child;
  }

  const reaper = setInterval(() => {
    const before = Date.now() - IDLE_MS;
    const idle = children.filter((child) => child !== first && child.inFlight === 0 && child.idleSince < before);
    for (const child of idle) {
      children.splice(children.indexOf(child), 1);
      const figures = child.upstream.connections?.();
      ended += figures?.created ?? 0;
      reused += figures?.reused ?? 0;
      void child.upstream.close();
    }
  }, REAP_EVERY_MS).unref();

  return {
    listen: async (request) => first.upstream.listen?.(request),
    greet: (deadline) => first.upstream.greet(deadline),
    async request(request) {
      const child = leastBusy();
      child.inFlight += 1;
      try {
        return await child.upstream.request(request);
      } finally {
        child.inFlight -= 1;
        child.idleSince = Date.now();
      }
    },
    async close() {
      clearInterval(reaper);
      await Promise.all(children.map((child) => child.upstream.close()));
    },
    connections() {
      const each = children.map((child) => child.upstream.connections?.() ?? { open: 0, created: 0, reused: 0 });
      return {
        open: each.reduce((sum, one) => sum + one.open, 0),
        created: each.reduce((sum, one) => sum + one.created, ended),
        reused: each.reduce((sum, one) => sum + one.reused, reused),
      };
    },
  };
}
