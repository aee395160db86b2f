import { connect, type Socket } from "node:net";
import { changePermissionMap } from "@/lib/access/change-permission-map";
import { currentPermissionMap } from "@/lib/access/permission-map";
import { perform } from "@/lib/audit/perform";
import { tenantSql } from "@/lib/db/sql";
import { actOnCircuit } from "@/lib/servers/act-on-circuit";
import { registerServer } from "@/lib/servers/register-server";
import { enableServer } from "@/lib/servers/switch-server";
import { createTestAgent, createTestTenant } from "@/lib/testing/factories";
import { type Answered, type MeasuredGateway, startMeasuredGateway } from "@/lib/testing/fault-gateway";
import { type Asked, type Fault, type FaultProxy, startFaultProxy } from "@/lib/testing/fault-proxy";
import { createWorld } from "@/lib/testing/gateway-world";

/** Faults that need a process that can be made to stand still. */
const STILL: readonly Fault[] = ["hang", "blackhole"];
const isTls = (fault: Fault): boolean => fault.startsWith("tls-");

export type FaultWorld = {
  readonly gateway: MeasuredGateway;
  /** One call to the server with this fault. `read` says of itself that it is read-only, `do` says nothing. */
  readonly call: (fault: Fault, tool: "do" | "read") => Promise<Answered>;
  /** One call of another tenant to a server that is well. */
  readonly neighbour: () => Promise<Answered>;
  /** From now on every server misbehaves, or only the one with this fault. */
  readonly arm: (only?: Fault) => Promise<void>;
  readonly disarm: (only?: Fault) => Promise<void>;
  /** Tool calls that reached each server while it misbehaved. */
  readonly asked: () => Promise<Readonly<Record<string, Asked>>>;
  /**
   * Waits until the gateway has been seen to hold nothing of the calls that ended: one socket at most to each server (the
   * base it keeps), or to the one that misbehaved, and no timer more than `timers`. Says what it still holds when patience ends.
   */
  readonly leftovers: (timers: number, only?: Fault) => Promise<readonly string[]>;
  /** Timers of the gateway, but for one per idle connection to its database. */
  readonly timers: () => Promise<number>;
  readonly close: () => Promise<void>;
};

export type FaultWorldOptions = {
  readonly faults: readonly Fault[];
  readonly deadlineMs: number;
  /** Takes the circuits away, so that every call meets the fault itself. */
  readonly withoutCircuits?: boolean;
  /** Settings of the gateway. */
  readonly env?: Readonly<Record<string, string>>;
};

/** A tenant with one server per fault, a tenant with a server that is well, and one gateway for both. */
export async function openFaultWorld(options: FaultWorldOptions): Promise<FaultWorld> {
  const { faults, deadlineMs } = options;
  const lively = await startFaultProxy(faults.filter((fault) => !STILL.includes(fault)));
  const still = await startFaultProxy(faults.filter((fault) => STILL.includes(fault)));
  const ports: Readonly<Record<string, number>> = { ...lively.ports, ...still.ports };
  const key = await register(options, ports);
  // How quick the neighbour is answered is measured; a machine that is busy with other things must not fail its calls.
  const well = await createWorld({ well: { tools: ["do"], map: { do: "well:do" }, deadlineMs: 30_000 } });
  const neighbourKey = (await well.agent("well:do")).key;
  const gateway = await startMeasuredGateway(options.env);
  const plugs: Socket[] = [];

  return {
    gateway,
    call: (fault, tool) => gateway.call(key, fault, tool),
    neighbour: () => gateway.call(neighbourKey, "well", "do"),
    async arm(only) {
      await Promise.all([lively.arm(deadlineMs, only), still.arm(deadlineMs, only)]);
      const isMeant = (fault: Fault) => only === undefined || only === fault;
      if (STILL.some(isMeant)) still.child.kill("SIGSTOP");
      if (isMeant("blackhole")) plugs.push(...(await plug(ports["blackhole"])));
    },
    async disarm(only) {
      for (const each of plugs.splice(0)) each.destroy();
      still.child.kill("SIGCONT");
      if (only === "hang" || (only === undefined && faults.includes("hang"))) await hasReadUp(still);
      await Promise.all([lively.disarm(only), still.disarm(only)]);
    },
    asked: async () => ({ ...(await lively.asked()), ...(await still.asked()) }),
    timers: () => ownTimers(gateway),
    leftovers(timers, only) {
      const meant = only === undefined ? ports : { [only]: ports[only] ?? 0 };
      return leftovers(gateway, meant, timers);
    },
    async close() {
      for (const each of plugs) each.destroy();
      await gateway.close();
      await Promise.all([lively.close(), still.close(), well.close()]);
    },
  };
}

/** Lets a process that stood still read what was sent to it meanwhile: a call of each tool, and whatever came too much. */
async function hasReadUp(still: FaultProxy): Promise<void> {
  const read = async () => Object.values((await still.asked())["hang"] ?? {}).reduce((sum, count) => sum + count, 0);
  for (const until = Date.now() + 10_000; Date.now() < until && (await read()) < 2; ) await pause(50);
  await pause(200);
}

const databasePort = (): number => Number(new URL(process.env["DATABASE_URL"] ?? "").port || 5_432);

async function ownTimers(gateway: MeasuredGateway): Promise<number> {
  const { Timeout: timers = 0 } = await gateway.resources();
  return timers - (gateway.socketsTo().get(databasePort()) ?? 0);
}

const PATIENCE_MS = 45_000;

/** Health looks come and go meanwhile, so each server is looked at until it was seen quiet once; a leak never is. */
async function leftovers(
  gateway: MeasuredGateway,
  ports: FaultProxy["ports"],
  most: number,
): Promise<readonly string[]> {
  const loud = new Map(Object.entries(ports));
  let timers = Number.POSITIVE_INFINITY;
  for (const until = Date.now() + PATIENCE_MS; Date.now() < until; await pause(100)) {
    const sockets = gateway.socketsTo();
    for (const [fault, port] of loud) if ((sockets.get(port) ?? 0) <= 1) loud.delete(fault);
    timers = Math.min(timers, await ownTimers(gateway));
    if (loud.size === 0 && timers <= most) return [];
  }
  const more = timers > most ? [`${timers - most} timers`] : [];
  return [...more, ...[...loud].map(([fault, port]) => `${gateway.socketsTo().get(port)} sockets to ${fault}`)];
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** The most timers that a quiet gateway was seen with. */
export async function mostTimers(world: Pick<FaultWorld, "timers">): Promise<number> {
  let most = Number.NEGATIVE_INFINITY;
  for (let look = 0; look < 10; look += 1, await pause(50)) most = Math.max(most, await world.timers());
  return most;
}

async function register({ faults, deadlineMs, withoutCircuits }: FaultWorldOptions, ports: FaultProxy["ports"]) {
  const tenant = await createTestTenant();
  for (const fault of faults) {
    const endpoint = { transport: "http", url: `http://127.0.0.1:${ports[fault]}/mcp` } as const;
    // One connection is kept to each: whatever is more than that in the end was forgotten.
    const input = { slug: fault, name: fault, endpoint, deadlineMs, poolSize: 1 };
    const { id } = await perform(registerServer, tenant.ctx(), input);
    await perform(enableServer, tenant.ctx(), { id });
    if (withoutCircuits) await perform(actOnCircuit, tenant.ctx(), { id, act: "disable", reason: "for the test" });
    if (!isTls(fault)) continue;
    // Registering wants an answer, and nothing that the gateway trusts could answer there over TLS.
    const sql = "update servers set url = replace(url, 'http:', 'https:') where tenant_id = $1 and id = $2";
    await tenantSql(tenant.tenantId, (client) => client.query(sql, [tenant.tenantId, id]));
  }
  const { version } = await currentPermissionMap(tenant.tenantId);
  const tools = ["do", "read"].flatMap((tool) => faults.map((server) => ({ server, tool, permission: "faulty:call" })));
  const change = { baseVersion: version, changes: tools, reason: "for the test" };
  await perform(changePermissionMap, tenant.ctx(), change);
  return (await createTestAgent(tenant, ["faulty:call"])).key;
}

/** Fills the queue of a port whose process stands still, until a further connection is not even answered. */
async function plug(port: number | undefined): Promise<Socket[]> {
  const sockets: Socket[] = [];
  if (port === undefined) return sockets;
  for (let tries = 0; tries < 16; tries += 1) {
    const socket = connect(port, "127.0.0.1");
    sockets.push(socket.on("error", () => undefined));
    const connected = await Promise.race([
      new Promise<true>((resolve) => socket.once("connect", () => resolve(true))),
      new Promise<false>((resolve) => setTimeout(resolve, 300, false)),
    ]);
    if (!connected) return sockets;
  }
  throw new Error("The port still takes connections.");
}

/** Calls of the neighbour at an even pace, whatever became of those before. */
export function keepNeighbourCalling(world: Pick<FaultWorld, "neighbour">, perSecond: number) {
  const calls: Promise<Answered>[] = [];
  const timer = setInterval(() => calls.push(world.neighbour()), 1_000 / perSecond);
  return {
    /** Ends the calling; how each call went. */
    async stop(): Promise<readonly Answered[]> {
      clearInterval(timer);
      return Promise.all(calls);
    },
  };
}
