import "server-only";
import { type TenantCache, tenantCache } from "@/lib/core/tenant-cache";
import { CALLS_WAIT_MS, tenantSql } from "@/lib/db/sql";
import { type Matches, makeMatches } from "@/lib/profiles/match";
import type { ProfileMode, ProfileTool } from "@/lib/profiles/schemas";

/** A profile as its door needs it. The same object as long as it does not change, so that others may remember by it. */
export type Profile = { readonly slug: string; readonly mode: ProfileMode; readonly matches: Matches };

type Row = { slug: string; mode: ProfileMode; tools: ProfileTool[]; stamp: string };
type Held = { readonly stamp: string; readonly profile: Profile };
type ProfilesBySlug = ReadonlyMap<string, Held>;

async function load(tenantId: string, previous: ProfilesBySlug | undefined): Promise<ProfilesBySlug> {
  const rows = await tenantSql(
    tenantId,
    async (client) => {
      const sql = `select slug, mode, tools, id::text || xmin::text as stamp from profiles where tenant_id = $1`;
      return (await client.query<Row>(sql, [tenantId])).rows;
    },
    CALLS_WAIT_MS,
  );
  return new Map(
    rows.map(({ slug, mode, tools, stamp }) => {
      const known = previous?.get(slug);
      const held = known?.stamp === stamp ? known : { stamp, profile: { slug, mode, matches: makeMatches(tools) } };
      return [slug, held];
    }),
  );
}

const cache = (): TenantCache<ProfilesBySlug> =>
  tenantCache("profiles", { load, dropOn: ({ topic }) => topic === "profile.changed" });

/** The profile behind a door; at most two seconds old. */
export const profileBySlug = async (tenantId: string, slug: string): Promise<Profile | undefined> =>
  (await cache().get(tenantId)).get(slug)?.profile;
