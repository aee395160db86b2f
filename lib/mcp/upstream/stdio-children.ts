import type { Upstream } from "@/lib/mcp/upstream/protocol";
import { openStdioUpstream, type StdioUpstreamOptions } from "@/lib/mcp/upstream/stdio";
import { startDeadline } from "@/lib/resilience/deadline";

type Child = { readonly upstream: Upstream; inFlight: number; idleSince: number };

export type ChildrenOptions = StdioUpstreamOptions & {
  /** How long a program beyond the base may have nothing to do. */
  readonly idleMs?: number;
  readonly reapEveryMs?: number;
};

/** Lists are looked at all the time, by us too: no reason to start a program, nor to keep one. */
const isLook = (method: string): boolean => method.endsWith("/list");

/**
 * Several programs of one server side by side, for servers that keep no state: each request goes to the one with the
 * fewest, a further one is started when all are busy, and those that idle are ended but for the base.
 */
export function openStdioChildren(options: ChildrenOptions, maxChildren: number): Upstream {
  const { idleMs = 60_000, reapEveryMs = 10_000 } = options;
  const make = (): Child => ({ upstream: openStdioUpstream(options), inFlight: 0, idleSince: performance.now() });
  const first = make();
  const children = [first];
  let [base, ended, reused] = [1, 0, 0];

  function leastBusy(mayStart: boolean): Child {
    const least = children.reduce((best, each) => (each.inFlight < best.inFlight ? each : best));
    if (!mayStart || least.inFlight === 0 || children.length >= maxChildren) return least;
    const child = make();
    children.push(child);
    return child;
  }

  const reaper = setInterval(() => {
    const before = performance.now() - idleMs;
    for (const child of children.slice(base)) {
      if (child.inFlight > 0 || child.idleSince >= before) continue;
      children.splice(children.indexOf(child), 1);
      const figures = child.upstream.connections?.();
      ended += figures?.created ?? 0;
      reused += figures?.reused ?? 0;
      void child.upstream.close();
    }
  }, reapEveryMs).unref();

  return {
    listen: async (request) => first.upstream.listen?.(request),
    greet: (deadline) => first.upstream.greet(deadline),
    async request(request) {
      const look = isLook(request.method);
      const child = leastBusy(!look);
      child.inFlight += 1;
      try {
        return await child.upstream.request(request);
      } finally {
        child.inFlight -= 1;
        if (!look) child.idleSince = performance.now();
      }
    },
    async close() {
      clearInterval(reaper);
      await Promise.all(children.map((child) => child.upstream.close()));
    },
    keepWarm(count) {
      base = Math.max(1, Math.min(count, maxChildren));
      while (children.length < base) children.push(make());
      for (const { upstream } of children) void warm(upstream, options.deadlineMs);
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

/** Starts a program before a call needs it. One that fails is not tried again: the next call will say what is wrong. */
async function warm(upstream: Upstream, deadlineMs: number): Promise<void> {
  const deadline = startDeadline(deadlineMs);
  await upstream.greet(deadline).catch(() => undefined);
  deadline.release();
}
