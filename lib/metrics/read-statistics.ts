import type { TenantTx } from "@/lib/db/in-tenant";
import { defineRead } from "@/lib/db/verbs";
import type { Level } from "@/lib/metrics/call-cells";
import {
  type CallersHit,
  type CountedCode,
  type Figures,
  type FiguresQuery,
  readCallersHit,
  readErrors,
  readFigures,
  readRolledUp,
} from "@/lib/metrics/figures";
import { toNumbers } from "@/lib/metrics/numbers";
import { type StatisticsRow, type StatisticsView, statisticsInput } from "@/lib/metrics/schemas";
import { windowOf } from "@/lib/metrics/window";

const BY: Readonly<Record<Level, FiguresQuery["by"]>> = {
  tenant: [],
  server: ["server"],
  tool: ["server", "tool"],
  caller: ["caller"],
};

/** What calls did in any window, told apart by server, tool or caller; from stored figures, never from the trail. */
export const readStatistics = defineRead({
  permission: "metrics:read",
  input: statisticsInput,
  run: async (tx, ctx, { by, server, tool, caller, limit, ...asked }): Promise<StatisticsView> => {
    const { from, to } = windowOf(asked);
    const query: FiguresQuery = {
      ...{ tenantId: ctx.tenantId, level: by, from, to, limit, by: BY[by] ?? [] },
      ...(server === undefined ? {} : { servers: [server] }),
      ...(tool === undefined ? {} : { tool }),
      ...(caller === undefined ? {} : { caller }),
    };
    const rolled = await readRolledUp(tx, ctx.tenantId);
    const groups = await readFigures(tx, rolled, query);
    const errors = groups.length === 0 ? [] : await readErrors(tx, rolled, query, by === "tool" ? groups : undefined);
    const hit = await readHit(tx, rolled, query);
    const offers = by === "tool" ? await readOffers(tx, groups) : null;
    return {
      ...{ from: new Date(from).toISOString(), to: new Date(to).toISOString(), by },
      rows: groups.map((figures) => ({
        ...toRow(figures, errors),
        ...hit(figures),
        ...(offers === null ? {} : { offeredBy: offers.get(figures.tool) ?? [] }),
      })),
    };
  },
});

/** Which enabled servers offer tools of these names. */
async function readOffers(tx: TenantTx, groups: readonly Figures[]): Promise<ReadonlyMap<string, readonly string[]>> {
  const names = [...new Set(groups.map(({ tool }) => tool))];
  const tools = await tx.serverTool.findMany({
    where: { name: { in: names }, server: { status: "enabled" } },
    select: { name: true, server: { select: { slug: true } } },
    orderBy: { server: { slug: "asc" } },
  });
  const offers = new Map<string, string[]>();
  for (const { name, server } of tools) offers.set(name, [...(offers.get(name) ?? []), server.slug]);
  return offers;
}

type Hit = Pick<StatisticsRow, "callers" | "callersHit">;
const UNTOLD: Hit = { callers: null, callersHit: null };

/** Who was hit, of a server or of the tenant; callers are not told apart by tool. */
async function readHit(
  tx: TenantTx,
  rolled: Awaited<ReturnType<typeof readRolledUp>>,
  query: FiguresQuery,
): Promise<(figures: Figures) => Hit> {
  if (query.level !== "server" && query.level !== "tenant") return () => UNTOLD;
  const counted = await readCallersHit(tx, rolled, query);
  const byServer = new Map(counted.map((each): readonly [string, CallersHit] => [each.server, each]));
  return ({ server }) => {
    const { callers = 0, callersHit = 0 } = byServer.get(server) ?? {};
    return { callers, callersHit };
  };
}

function toRow(figures: Figures, errors: readonly CountedCode[]): Omit<StatisticsRow, keyof Hit> {
  const { server, tool, caller, callerName } = figures;
  const own = errors.filter((each) => each.server === server && each.tool === tool && each.caller === caller);
  return {
    ...{ server, tool, caller, callerName },
    ...toNumbers(figures),
    errors: own.map(({ code, count }) => ({ code, count })),
  };
}
