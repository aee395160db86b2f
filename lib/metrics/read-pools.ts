import { defineRead } from "@/lib/db/verbs";
import { type Figures, readFigures, readRolledUp } from "@/lib/metrics/figures";
import { toNumbers } from "@/lib/metrics/numbers";
import { type PoolFigures, type PoolsView, poolsInput } from "@/lib/metrics/schemas";
import { windowOf } from "@/lib/metrics/window";
import { poolOf } from "@/lib/servers/circuit-views";

const NOTHING: PoolFigures["window"] = {
  ...{ samples: 0, queued: 0, queueMeanMs: null, overloaded: 0, circuitRefusals: 0, limited: 0 },
  ...{ cacheHits: 0, cacheHitRatio: null },
};

/** Places and connections at each server, kept answers, and what was refused for want of a place or by a limit. */
export const readPools = defineRead({
  permission: "metrics:read",
  input: poolsInput,
  run: async (tx, ctx, { server, ...asked }): Promise<PoolsView> => {
    const { from, to } = windowOf(asked);
    const rows = await tx.server.findMany({
      where: { status: "enabled", ...(server === undefined ? {} : { slug: server }) },
      select: { slug: true },
      orderBy: { slug: "asc" },
    });
    const servers = rows.map(({ slug }) => slug);
    const rolled = await readRolledUp(tx, ctx.tenantId);
    const query = { tenantId: ctx.tenantId, level: "server", by: ["server"], from, to, servers } as const;
    const found = await readFigures(tx, rolled, query);
    const byServer = new Map(found.map((figures) => [figures.server, figures]));
    const now = poolOf(ctx.tenantId);
    return {
      ...{ from: new Date(from).toISOString(), to: new Date(to).toISOString() },
      servers: servers.map((slug) => ({ server: slug, now: now(slug), window: toWindow(byServer.get(slug)) })),
    };
  },
});

function toWindow(figures: Figures | undefined): PoolFigures["window"] {
  if (figures === undefined) return NOTHING;
  const { samples, queued, queueMeanMs, overloaded, circuitRefusals, limited, cacheHits, cacheHitRatio } =
    toNumbers(figures);
  return { samples, queued, queueMeanMs, overloaded, circuitRefusals, limited, cacheHits, cacheHitRatio };
}
