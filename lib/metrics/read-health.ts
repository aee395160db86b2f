import { trail } from "@/lib/audit/trail";
import type { TenantTx } from "@/lib/db/in-tenant";
import { askRedis } from "@/lib/db/redis-client";
import { defineRead } from "@/lib/db/verbs";
import { env } from "@/lib/env";
import { readFigures, readRolledUp } from "@/lib/metrics/figures";
import { LIGHT_WINDOW_MS, lightOf } from "@/lib/metrics/light";
import { type HealthView, healthInput } from "@/lib/metrics/schemas";
import { floorTo, MINUTE_MS } from "@/lib/metrics/segments";

const NOTHING = { reached: 0, reachedFailures: 0, heldBack: 0, totalMs: 0 };

/** The light of a tenant and each of its servers, and whether what the gateway itself stands on is there. */
export const readHealth = defineRead({
  permission: "metrics:read",
  input: healthInput,
  run: async (tx, ctx): Promise<HealthView> => {
    const to = Date.now();
    const window = { tenantId: ctx.tenantId, from: floorTo(to - LIGHT_WINDOW_MS, MINUTE_MS), to };
    const rolled = await readRolledUp(tx, ctx.tenantId);
    const [whole] = await readFigures(tx, rolled, { ...window, level: "tenant" });
    const seen = await readFigures(tx, rolled, { ...window, level: "server", by: ["server"] });
    const byServer = new Map(seen.map((figures) => [figures.server, figures]));
    const servers = await readChecks(tx);
    return {
      ...{ from: new Date(window.from).toISOString(), to: new Date(to).toISOString() },
      tenant: lightOf(whole ?? NOTHING),
      servers: servers.map(({ server, check }) => ({ server, ...lightOf(byServer.get(server) ?? NOTHING), check })),
      components: [{ name: "database", ...UP, reason: "It answered this question." }, await redisNow(), trailNow()],
    };
  },
});

type Component = HealthView["components"][number];
const UP = { status: "up" } as const;

async function readChecks(tx: TenantTx) {
  const servers = await tx.server.findMany({
    where: { status: "enabled" },
    select: { slug: true, health: { select: { status: true, reason: true, checkedAt: true } } },
    orderBy: { slug: "asc" },
  });
  return servers.map(({ slug, health }) => ({
    server: slug,
    check: {
      status: health?.status ?? "unknown",
      reason: health?.reason ?? null,
      checkedAt: health?.checkedAt?.toISOString() ?? null,
    },
  }));
}

async function redisNow(): Promise<Component> {
  if (env().REDIS_URL === undefined) {
    return { name: "redis", status: "not_used", reason: "REDIS_URL is not set: one process, or each on its own." };
  }
  const pong = await askRedis((client) => client.ping());
  return pong === null
    ? { name: "redis", status: "down", reason: "It does not answer: each process decides on its own meanwhile." }
    : { name: "redis", ...UP, reason: "It answered just now." };
}

function trailNow(): Component {
  const { writable, queued } = trail().status();
  return writable
    ? { name: "trail", ...UP, reason: `Entries are written; ${queued} wait.` }
    : { name: "trail", status: "down", reason: "Entries cannot be written, so calls are refused." };
}
