import type { ChildProcess } from "node:child_process";
import { Agent, request } from "node:http";
import { perform } from "@/lib/audit/perform";
import { newId } from "@/lib/core/ids";
import { changeServer } from "@/lib/servers/change-server";
import { freePort, gone, startDoor } from "@/lib/testing/door-processes";
import type { Fault } from "@/lib/testing/fake-upstream";
import { createWorld } from "@/lib/testing/gateway-world";

export type Called = {
  /** Names the call in the trail. */
  readonly requestId: string;
  readonly code: string;
  readonly entry: string | undefined;
  /** Set when no answer came at all: what the socket said. */
  readonly socket?: string;
  /** The connection had carried a call before, and so may have been closed as silent just then. */
  readonly reused?: boolean;
};

export type Door = {
  readonly child: ChildProcess;
  readonly call: () => Promise<Called>;
  /** Says that this door's caller no longer wants what it called at any door. */
  readonly cancel: () => Promise<void>;
};

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

type Answer = { result?: { isError?: boolean; _meta?: Record<string, unknown> }; error?: { data?: { code?: string } } };

const BODY = JSON.stringify({
  jsonrpc: "2.0",
  id: 1,
  method: "tools/call",
  params: { name: "work__do", arguments: {} },
});

const CANCEL = JSON.stringify({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 1 } });

/** One request over a connection that is kept alive, as the plainest of clients sends it. */
function post(agent: Agent, port: number, key: string, requestId: string, body = BODY): Promise<string> {
  const media = { "content-type": "application/json" };
  const headers = { ...media, authorization: `Bearer ${key}`, "x-request-id": requestId };
  const options = { host: "127.0.0.1", port, method: "POST", path: "/api/mcp", agent, headers, timeout: 60_000 };
  return new Promise((resolve, reject) => {
    const asked = request(options, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      answer.on("end", () => resolve(text)).on("error", reject);
    });
    asked
      .on("error", (cause) => reject(Object.assign(cause, { reused: asked.reusedSocket })))
      .on("timeout", () => asked.destroy(new Error("no answer in a minute")));
    asked.end(body);
  });
}

async function callDoor(agent: Agent, port: number, key: string): Promise<Called> {
  const requestId = newId();
  try {
    const { result, error } = JSON.parse(await post(agent, port, key, requestId)) as Answer;
    const refusal = result?._meta?.["dev.countersign/error"] as { code?: string } | undefined;
    const entry = result?._meta?.["dev.countersign/entry"] as string | undefined;
    return { requestId, code: refusal?.code ?? error?.data?.code ?? "ok", entry };
  } catch (cause) {
    const { code, reused } = cause as { code?: unknown; reused?: boolean };
    return { requestId, code: "socket", entry: undefined, socket: String(code ?? cause), reused: reused === true };
  }
}

export type SeveralOptions = {
  /** What `bundleServer` made. */
  readonly entry: string;
  readonly redisUrl: string | undefined;
  readonly doors?: number;
  readonly circuitPolicy?: Readonly<Record<string, number>>;
};

/** Connections to one door. */
const CONNECTIONS = 64;

/** Processes of the door over one database and one Redis, with one tenant and one server behind them. */
export async function openSeveralDoors({ entry, redisUrl, doors: count = 2, circuitPolicy }: SeveralOptions) {
  const gate = makeGate();
  const work = { tools: ["do"], map: { do: "work:do" }, deadlineMs: 30_000, slowUntil: gate.passed };
  const world = await createWorld({ work });
  const { key } = await world.agent("work:do");
  const id = world.serverIds.get("work") ?? "";
  if (circuitPolicy !== undefined) await perform(changeServer, world.tenant.ctx(), { id, circuitPolicy });
  const prefix = `cs-test-${newId().slice(-12)}`;
  const env = { REDIS_PREFIX: prefix, REDIS_URL: redisUrl ?? "", EGRESS_ALLOW: "127.0.0.0/8" };
  const agents: Agent[] = [];

  async function open(): Promise<Door> {
    const port = await freePort();
    const child = await startDoor(entry, port, { env });
    const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
    agents.push(agent);
    const cancel = async () => void (await post(agent, port, key, newId(), CANCEL));
    return { child, call: () => callDoor(agent, port, key), cancel };
  }

  const doors = await Promise.all(Array.from({ length: count }, open));
  const upstream = world.upstreams.get("work");
  return {
    doors,
    prefix,
    tenant: world.tenant,
    /** Lets calls go on that are slow. */
    openGate: gate.open,
    setFault: (fault: Fault) => upstream?.setFault(fault),
    /** Tool calls that reached the server, whatever became of them. */
    reached: () => upstream?.requests.filter(({ method }) => method === "tools/call").length ?? 0,
    async close() {
      gate.open();
      for (const { child } of doors) child.kill("SIGTERM");
      for (const agent of agents) agent.destroy();
      await Promise.all(doors.map(({ child }) => gone(child)));
      await world.close();
    },
  };
}

function makeGate() {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed: () => opened, open };
}

/** Calls without a break over all doors; one that is closed is left for another. Stops when told. */
export function keepCalling(doors: readonly Door[], callers: number) {
  const calls: { readonly door: number; readonly called: Called }[] = [];
  let stopped = false;
  const work = Array.from({ length: callers }, async (_, caller) => {
    let door = caller % doors.length;
    while (!stopped) {
      const called = await (doors[door]?.call() ?? Promise.reject(new Error("no door")));
      // Nothing was sent: any client tries another address then.
      if (called.socket === "ECONNREFUSED") {
        door = (door + 1) % doors.length;
        await pause(5);
        continue;
      }
      calls.push({ door, called });
      if (called.socket !== undefined) door = (door + 1) % doors.length;
    }
  });
  return {
    calls,
    /** Resolves once this many more calls have ended. */
    async reach(more: number) {
      const wanted = calls.length + more;
      for (const until = Date.now() + 60_000; calls.length < wanted; await pause(10)) {
        if (Date.now() > until) throw new Error(`Only ${calls.length} of ${wanted} calls have ended in a minute.`);
      }
    },
    async stop() {
      stopped = true;
      await Promise.all(work);
      return calls;
    },
  };
}
