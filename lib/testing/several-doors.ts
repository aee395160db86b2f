import type { ChildProcess } from "node:child_process";
import { Agent, request } from "node:http";
import { perform } from "@/lib/audit/perform";
import { newId } from "@/lib/core/ids";
import { changeServer } from "@/lib/servers/change-server";
import { bundleServer, freePort, gone, startDoor } from "@/lib/testing/door-processes";
import type { Fault } from "@/lib/testing/fake-upstream";
import { createWorld } from "@/lib/testing/gateway-world";

export type Called = {
  readonly code: string;
  readonly entry: string | undefined;
  /** Set when no answer came at all: what the socket said. */
  readonly socket?: string;
};

export type Door = {
  readonly child: ChildProcess;
  readonly call: () => Promise<Called>;
};

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

type Answer = { result?: { isError?: boolean; _meta?: Record<string, unknown> }; error?: { data?: { code?: string } } };

const BODY = JSON.stringify({
  jsonrpc: "2.0",
  id: 1,
  method: "tools/call",
  params: { name: "work__do", arguments: {} },
});

/** One request over a connection that is kept alive, as the plainest of clients sends it. */
function post(agent: Agent, port: number, key: string): Promise<string> {
  const headers = { "content-type": "application/json", authorization: `Bearer ${key}` };
  const options = { host: "127.0.0.1", port, method: "POST", path: "/api/mcp", agent, headers, timeout: 10_000 };
  return new Promise((resolve, reject) => {
    const asked = request(options, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      answer.on("end", () => resolve(text)).on("error", reject);
    });
    asked.on("error", reject).on("timeout", () => asked.destroy(new Error("no answer in ten seconds")));
    asked.end(BODY);
  });
}

async function callDoor(agent: Agent, port: number, key: string): Promise<Called> {
  try {
    const { result, error } = JSON.parse(await post(agent, port, key)) as Answer;
    const refusal = result?._meta?.["dev.countersign/error"] as { code?: string } | undefined;
    const entry = result?._meta?.["dev.countersign/entry"] as string | undefined;
    return { code: refusal?.code ?? error?.data?.code ?? "ok", entry };
  } catch (cause) {
    return { code: "socket", entry: undefined, socket: String((cause as { code?: unknown }).code ?? cause) };
  }
}

/** Two processes of the door over one database and one Redis, with one tenant and one server behind them. */
export async function openSeveralDoors(redisUrl: string | undefined, connections = 64) {
  const world = await createWorld({
    work: { tools: ["do"], map: { do: "work:do" }, deadlineMs: 2_000, slowMs: 600 },
  });
  const { key } = await world.agent("work:do");
  const id = world.serverIds.get("work") ?? "";
  const circuitPolicy = { recoveryMs: 1_500 };
  await perform(changeServer, world.tenant.ctx(), { id, circuitPolicy });
  const { entry, remove } = await bundleServer();
  const prefix = `cs-test-${newId().slice(-12)}`;
  const agents: Agent[] = [];

  async function open(): Promise<Door> {
    const port = await freePort();
    const child = await startDoor(entry, port, {
      env: { REDIS_PREFIX: prefix, REDIS_URL: redisUrl ?? "", EGRESS_ALLOW: "127.0.0.0/8" },
    });
    const agent = new Agent({ keepAlive: true, maxSockets: connections });
    agents.push(agent);
    return { child, call: () => callDoor(agent, port, key) };
  }

  const doors = [await open(), await open()] as const;
  const upstream = world.upstreams.get("work");
  return {
    doors,
    prefix,
    tenant: world.tenant,
    upstream,
    setFault: (fault: Fault) => upstream?.setFault(fault),
    /** Tool calls that reached the server, whatever became of them. */
    reached: () => upstream?.requests.filter(({ method }) => method === "tools/call").length ?? 0,
    async close() {
      for (const { child } of doors) child.kill("SIGTERM");
      for (const agent of agents) agent.destroy();
      await Promise.all(doors.map(({ child }) => gone(child)));
      remove();
      await world.close();
    },
  };
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
    async stop() {
      stopped = true;
      await Promise.all(work);
      return calls;
    },
  };
}
