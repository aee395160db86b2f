import { PLATFORM_TENANT_ID } from "@/lib/core/ids";
import { definePlatformRead } from "@/lib/db/verbs";
import { LIGHT_WINDOW_MS, lightOf, type Seen } from "@/lib/metrics/light";
import { healthInput, type TenantLightsView } from "@/lib/metrics/schemas";
import { floorTo, MINUTE_MS } from "@/lib/metrics/segments";

type Row = Seen & { readonly id: string; readonly slug: string; readonly name: string };

/** The platform may read these columns of whole tenants' minutes, and no row of a server, tool or caller. */
const COUNTS = `select t.id::text as id, t.slug, t.name, coalesce(sum(m.reached), 0)::float8 as reached,
    coalesce(sum(m.reached_failures), 0)::float8 as "reachedFailures", coalesce(sum(m.held_back), 0)::float8 as "heldBack",
    coalesce(sum(m.total_ms), 0)::float8 as "totalMs"
  from tenants t left join call_minutes m
    on m.tenant_id = t.id and m.level = 0 and m.at >= $1::timestamptz and m.at <= $2::timestamptz
  where t.id <> $3::uuid and t.status = 'active' group by t.id, t.slug, t.name order by t.slug`;

/** The light of each tenant and of the whole, from counts alone. */
export const readTenantLights = definePlatformRead({
  permission: "platform:read",
  input: healthInput,
  run: async (tx): Promise<TenantLightsView> => {
    const to = Date.now();
    const from = floorTo(to - LIGHT_WINDOW_MS, MINUTE_MS);
    const times = [from, to].map((time) => new Date(time).toISOString());
    const rows = await tx.$queryRawUnsafe<Row[]>(COUNTS, ...times, PLATFORM_TENANT_ID);
    return {
      ...{ from: new Date(from).toISOString(), to: new Date(to).toISOString() },
      whole: lightOf(rows.reduce(add, NOTHING)),
      tenants: rows.map(({ id, slug, name, ...seen }) => ({ id, slug, name, ...lightOf(seen) })),
    };
  },
});

const NOTHING: Seen = { reached: 0, reachedFailures: 0, heldBack: 0, totalMs: 0 };
const add = (sum: Seen, one: Seen): Seen => ({
  reached: sum.reached + one.reached,
  reachedFailures: sum.reachedFailures + one.reachedFailures,
  heldBack: sum.heldBack + one.heldBack,
  totalMs: sum.totalMs + one.totalMs,
});
