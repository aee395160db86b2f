import "server-only";
import { singleton } from "@/lib/core/singleton";
import { platformSql } from "@/lib/db/sql";

/** A version that was started after another one, or first of all. */
export type Deploy = { readonly at: number; readonly version: string };

const held = singleton("metrics.deploys", () => ({ known: [] as readonly Deploy[] }));

const STARTS = `select (extract(epoch from started_at) * 1000)::float8 as at, version
  from (select started_at, version, lag(version) over (order by started_at, id) as before from gateway_processes) as starts
  where before is distinct from version order by started_at desc limit 500`;

/** Looks up which versions were started when. Processes are no tenant's, so a tenant's transaction could not. */
export async function refreshDeploys(): Promise<void> {
  held.known = (await platformSql((client) => client.query<Deploy>(STARTS))).rows;
}

/** As of the last look, which is seconds ago; newest first. */
export const knownDeploys = (): readonly Deploy[] => held.known;
