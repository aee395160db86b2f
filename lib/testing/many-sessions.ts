import type { ChildProcess } from "node:child_process";
import { changePermissionMap } from "@/lib/access/change-permission-map";
import { currentPermissionMap } from "@/lib/access/permission-map";
import { perform } from "@/lib/audit/perform";
import { walkTrail } from "@/lib/audit/verify-trail";
import { tenantSql } from "@/lib/db/sql";
import { registerServer } from "@/lib/servers/register-server";
import { enableServer } from "@/lib/servers/switch-server";
import { type DoorOptions, freePort, gone, memoryOf, startDoor } from "@/lib/testing/door-processes";
import { createTestAgent, type TestTenant } from "@/lib/testing/factories";
import { type FakeUpstream, startFakeUpstream } from "@/lib/testing/fake-upstream";
import { createWorld } from "@/lib/testing/gateway-world";
import { type HeldSession, type Holder, makeHeldSession } from "@/lib/testing/held-session";

export const TOOLS = 117;
const SLUG = "work";

export type SessionOf = { readonly tenant: TestTenant; readonly agentId: string; readonly session: HeldSession };

/** Definitions as long as those of servers in use. */
const definitions = Array.from({ length: TOOLS }, (_, index) => ({
  name: `tool_${index}`,
  title: `Tool ${index}`,
  description: `Looks into ledger ${index} and answers with what it says there. ${"Use it where the figures of a period are wanted. ".repeat(4)}`,
  inputSchema: {
    type: "object",
    properties: Object.fromEntries(
      ["session", "word", "period", "account"].map((name) => [
        name,
        { type: "string", description: `The ${name} meant` },
      ]),
    ),
  },
}));

/** Calls that are let through at once; each client has one under way. */
const PLACES = 2_048;

async function openTenant(upstream: FakeUpstream): Promise<TestTenant> {
  const { tenant } = await createWorld({});
  const endpoint = { transport: "http", url: upstream.url } as const;
  const server = { slug: SLUG, name: SLUG, endpoint, deadlineMs: 60_000, poolLimits: { maxConcurrent: PLACES } };
  const { id } = await perform(registerServer, tenant.ctx(), server);
  await perform(enableServer, tenant.ctx(), { id });
  await changeMap(tenant, "work:do");
  return tenant;
}

/** Maps all tools anew, which everybody who may see them is told. */
export async function changeMap(tenant: TestTenant, permission: string): Promise<void> {
  const { version } = await currentPermissionMap(tenant.tenantId);
  const changes = definitions.map(({ name: tool }) => ({ server: SLUG, tool, permission }));
  await perform(changePermissionMap, tenant.ctx(), { baseVersion: version, changes, reason: "for the test" });
}

/** Runs `work` over all items, a few at a time. */
export async function overAll<T>(items: readonly T[], atOnce: number, work: (item: T) => Promise<unknown>) {
  const rest = [...items];
  const worker = async () => {
    for (let item = rest.shift(); item !== undefined; item = rest.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

export type ManyOptions = DoorOptions & {
  readonly entry: string;
  readonly count: number;
  /** How long the server takes for a call. */
  readonly upstreamMs?: number;
};

/**
 * A gateway process and that many clients of two tenants, each an agent of its own with a key of its own. Every second
 * client is of the sessions era and holds a stream open. Nothing is sent yet.
 */
export async function gatherSessions({ entry, count, upstreamMs, ...options }: ManyOptions) {
  const upstream = await startFakeUpstream(upstreamMs === undefined ? {} : { slowMs: upstreamMs });
  upstream.setListing(definitions);
  if (upstreamMs !== undefined) upstream.setFault("slow");
  const tenants = [await openTenant(upstream), await openTenant(upstream)];
  const port = await freePort();
  const sessions: SessionOf[] = [];
  await overAll(
    Array.from({ length: count }, (_, index) => index),
    8,
    async (index) => {
      const tenant = tenants[index % 2];
      if (tenant === undefined) return;
      const { key, agentId } = await createTestAgent(tenant, ["work:do"]);
      const era: Holder["era"] = index % 4 < 2 ? "legacy" : "modern";
      const holder = { port, key, era, tool: `${SLUG}__tool_${index % TOOLS}`, tools: TOOLS };
      sessions.push({ tenant, agentId, session: makeHeldSession(holder) });
    },
  );
  const child = await startDoor(entry, port, { ...options, env: { EGRESS_ALLOW: "127.0.0.0/8", ...options.env } });
  await hasJudged(tenants);
  return {
    child,
    port,
    sessions,
    tenants,
    upstream,
    close: async () => {
      for (const { session } of sessions) session.close();
      child.kill("SIGTERM");
      await gone(child);
      await upstream.close();
    },
  };
}

/** What a process needs for its first look at the alerts it needs without any session too. */
async function hasJudged(tenants: readonly TestTenant[]): Promise<void> {
  const sql = "select 1 from alert_turns where tenant_id = $1 and next_at > 'epoch'";
  for (const { tenantId } of tenants) {
    const judged = async () => (await tenantSql(tenantId, (client) => client.query(sql, [tenantId]))).rowCount === 1;
    for (const until = Date.now() + 30_000; Date.now() < until && !(await judged()); ) await pause(200);
  }
}

/** Every client calls again and again, with `everyMs` between two calls of one, until `forMs` are over. */
export async function holdSessions(sessions: readonly SessionOf[], forMs: number, everyMs: number): Promise<void> {
  const until = performance.now() + forMs;
  await Promise.all(
    sessions.map(async ({ session }, index) => {
      await pause((everyMs * index) / sessions.length);
      do {
        await session.call();
        await pause(everyMs);
      } while (performance.now() < until);
    }),
  );
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** What went wrong for any of them, with whose session it was. */
export const faultsOf = (sessions: readonly SessionOf[]): string[] =>
  sessions.flatMap(({ agentId, session }) => session.held.faults.map((fault) => `${agentId}: ${fault}`));

/** Entries that the trail ascribes to somebody else than the client that was given them, or does not know. */
export async function misattributed(sessions: readonly SessionOf[], tenants: readonly TestTenant[]): Promise<string[]> {
  const actors = new Map<string, string>();
  for (const { tenantId } of tenants) {
    const sql = "select event_id::text as id, actor_id from audit_entries where tenant_id = $1 and phase = 'outcome'";
    const { rows } = await tenantSql(tenantId, (client) =>
      client.query<{ id: string; actor_id: string }>(sql, [tenantId]),
    );
    for (const { id, actor_id } of rows) actors.set(`${tenantId} ${id}`, actor_id);
  }
  return sessions.flatMap(({ tenant, agentId, session }) =>
    session.held.entries.filter((entry) => actors.get(`${tenant.tenantId} ${entry}`) !== agentId),
  );
}

export const chainsHold = async (tenants: readonly TestTenant[]): Promise<boolean> =>
  (await Promise.all(tenants.map(({ tenantId }) => walkTrail(tenantId)))).every(({ valid }) => valid);

export type SessionFigures = {
  readonly sessions: number;
  readonly calls: number;
  readonly reopened: number;
  readonly p95Ms: number;
  readonly restMb: number;
  readonly heldMb: number;
  /** The most that was ever resident. */
  readonly peakMb: number;
  /** What lives after a collection. */
  readonly liveKbPerSession: number;
  readonly residentKbPerSession: number;
};

const MB = 1024 * 1024;

/** What is made once and not per client: compiled code, connections to the database, warm caches. */
const WARM = { clients: 4, calls: 50 };

/** Opens all of them, holds them while they call, and says what they cost. */
export async function measureSessions(
  child: ChildProcess,
  sessions: readonly SessionOf[],
  { forMs, everyMs }: { readonly forMs: number; readonly everyMs: number },
): Promise<SessionFigures> {
  const first = sessions.slice(0, WARM.clients);
  await overAll(first, WARM.clients, async ({ session }) => {
    await session.open();
    for (let call = 0; call < WARM.calls; call += 1) await session.call();
  });
  const rest = await memoryOf(child);
  const others = sessions.slice(WARM.clients);
  await overAll(others, 16, ({ session }) => session.open());
  await holdSessions(sessions, forMs, everyMs);
  const held = await memoryOf(child);
  const times = sessions.flatMap(({ session }) => session.held.tookMs).sort((a, b) => a - b);
  const per = (key: "live" | "resident") => Math.round((held[key] - rest[key]) / others.length / 102.4) / 10;
  return {
    sessions: sessions.length,
    calls: times.length,
    reopened: sessions.reduce((sum, { session }) => sum + session.held.reopened, 0),
    p95Ms: Math.round(times[Math.floor(times.length * 0.95)] ?? 0),
    restMb: Math.round(rest.resident / MB),
    heldMb: Math.round(held.resident / MB),
    peakMb: Math.round(held.peak / MB),
    liveKbPerSession: per("live"),
    residentKbPerSession: per("resident"),
  };
}
