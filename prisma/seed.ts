import { mkdir } from "node:fs/promises";
import { perform } from "@/lib/audit/perform";
import { PLATFORM_TENANT_ID } from "@/lib/core/ids";
import { logger } from "@/lib/core/logger";
import { pool } from "@/lib/db/client";
import { inPlatform, inTenant } from "@/lib/db/in-tenant";
import { bank } from "@/prisma/seed/bank";
import { clinic } from "@/prisma/seed/clinic";
import { type DemoFile, readDemoFile, refreshBaseUrl, writeDemoFile } from "@/prisma/seed/demo-file";
import { type DemoHttpUpstream, startDemoHttpUpstream } from "@/prisma/seed/demo-http-upstream";
import { demoServers, folderOf, writeSampleFiles } from "@/prisma/seed/demo-servers";
import { foundPeople, foundTenant } from "@/prisma/seed/found-tenant";
import { issueCredentials, makePasswords, peopleOfNoTenant } from "@/prisma/seed/issue-credentials";
import { moveDemoServers } from "@/prisma/seed/move-servers";
import { PLATFORM_ADMIN, type Scenario, STRANGER } from "@/prisma/seed/scenario";
import { seedContext } from "@/prisma/seed/seed-context";
import { settleServers } from "@/prisma/seed/settle-servers";

export const SCENARIOS: readonly Scenario[] = [clinic, bank];

export type SeedOptions = { readonly baseUrl: string; readonly dataDir: string };
export type Seeded = {
  /** False when the demo was there already, or the database belongs to somebody. */
  readonly fresh: boolean;
  readonly tookMs: number;
};

/** Held while seeding, so that of two processes starting together one seeds and the other waits. */
const LOCK_KEY = "4015998174122860911";

async function alone<T>(run: () => Promise<T>): Promise<T> {
  const client = await pool().connect();
  try {
    await client.query("select pg_advisory_lock($1::bigint)", [LOCK_KEY]);
    return await run();
  } finally {
    // Ending the session frees the lock whatever happened to it.
    client.release(true);
  }
}

const demoTenants = (): Promise<readonly { readonly id: string; readonly slug: string; readonly demo: boolean }[]> =>
  inPlatform((tx) => tx.tenant.findMany({ select: { id: true, slug: true, demo: true } }));

type Issued = Awaited<ReturnType<typeof issueCredentials>>;

async function furnish(
  scenario: Scenario,
  tenantId: string,
  options: SeedOptions,
  upstream: DemoHttpUpstream,
  passwords: ReadonlyMap<string, string>,
): Promise<Issued> {
  const ctx = seedContext(tenantId, "admin:*");
  await writeSampleFiles(options.dataDir, scenario);
  await settleServers(ctx, scenario, demoServers(options.dataDir, scenario.slug, upstream));
  return issueCredentials(ctx, scenario, passwords, scenario.agents(folderOf(options.dataDir, scenario.slug)));
}

/** Waits for all, so that nothing runs on behind a failure. */
async function all<T>(work: readonly Promise<T>[]): Promise<readonly T[]> {
  await Promise.allSettled(work);
  return Promise.all(work);
}

async function seed(options: SeedOptions, upstream: DemoHttpUpstream): Promise<void> {
  const emails = SCENARIOS.flatMap((scenario) => scenario.people.map((person) => person.email));
  const passwords = makePasswords(new Set([...emails, PLATFORM_ADMIN.email, STRANGER.email]));
  const platform = seedContext(PLATFORM_TENANT_ID, "platform:*");
  await perform(foundPeople, platform, {});
  const ids = new Map<Scenario, string>();
  // One after the other, because somebody belongs to both.
  for (const scenario of SCENARIOS) ids.set(scenario, await perform(foundTenant, platform, scenario));
  // Of an interrupted seeding: the servers it registered may have been elsewhere.
  await followAddresses(options.dataDir, upstream);
  const tenants = await all([...ids].map(([scenario, id]) => furnish(scenario, id, options, upstream, passwords)));
  const file: DemoFile = {
    baseUrl: options.baseUrl,
    users: [...tenants.flatMap((tenant) => tenant.users), ...peopleOfNoTenant(passwords)],
    agents: tenants.flatMap((tenant) => tenant.agents),
  };
  // Last, so that a seeding that was interrupted is taken up again.
  await writeDemoFile(options.dataDir, file);
}

/**
 * Makes sure that the demo is there: seeds an empty database, finishes an interrupted seeding, and otherwise only
 * brings addresses up to date. A database that holds any tenant of somebody's own is left alone.
 */
export async function seedDemo(options: SeedOptions): Promise<Seeded> {
  const startedAt = performance.now();
  await mkdir(options.dataDir, { recursive: true });
  const fresh = await alone(async () => {
    const tenants = await demoTenants();
    if (tenants.some((tenant) => !tenant.demo) && !tenants.some((tenant) => tenant.demo)) return false;
    const upstream = await startDemoHttpUpstream(options.dataDir);
    const whole = SCENARIOS.every(({ slug }) => tenants.some((tenant) => tenant.slug === slug));
    if (whole && (await readDemoFile(options.dataDir)) !== null) {
      await refreshBaseUrl(options.dataDir, options.baseUrl);
      await followAddresses(options.dataDir, upstream);
      return false;
    }
    if (tenants.some((tenant) => !tenant.demo)) return false;
    await seed(options, upstream);
    return true;
  });
  const tookMs = Math.round(performance.now() - startedAt);
  logger.info({ fresh, tookMs }, "demo ready");
  return { fresh, tookMs };
}

/** Where the demo's servers moved between runs, their registrations follow. */
async function followAddresses(dataDir: string, upstream: DemoHttpUpstream): Promise<void> {
  for (const { id, slug, demo } of await demoTenants()) {
    const scenario = SCENARIOS.find((candidate) => candidate.slug === slug);
    if (!demo || scenario === undefined) continue;
    await writeSampleFiles(dataDir, scenario);
    const servers = demoServers(dataDir, slug, upstream);
    const rows = await inTenant(id, (tx) =>
      tx.server.findMany({ where: { tenantId: id }, select: { slug: true, url: true, args: true } }),
    );
    const moved = servers.filter(({ slug: at, endpoint }) => {
      const row = rows.find((candidate) => candidate.slug === at);
      if (row === undefined) return false;
      return endpoint.transport !== "stdio"
        ? row.url !== endpoint.url
        : row.args.join("\n") !== endpoint.args.join("\n");
    });
    if (moved.length > 0)
      await perform(moveDemoServers, seedContext(id, "admin:*"), {
        servers: moved.map(({ slug: at, endpoint }) => ({ slug: at, endpoint })),
      });
  }
}

/** Sets up what did not answer while seeding; called later, in the background. */
export async function settleDemo(dataDir: string): Promise<void> {
  const upstream = await startDemoHttpUpstream(dataDir);
  for (const { id, slug, demo } of await demoTenants()) {
    const scenario = SCENARIOS.find((candidate) => candidate.slug === slug);
    if (!demo || scenario === undefined) continue;
    await settleServers(seedContext(id, "admin:*"), scenario, demoServers(dataDir, slug, upstream));
  }
}
