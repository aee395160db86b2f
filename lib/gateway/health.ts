import "server-only";
import { gatewayId } from "@/lib/audit/gateway-identity";
import { logger } from "@/lib/core/logger";
import { singleton } from "@/lib/core/singleton";
import { getGateway } from "@/lib/gateway/compose";
import type { Upstreams } from "@/lib/gateway/upstreams";
import { listUpstreamTools } from "@/lib/mcp/upstream/list-tools";
import { toProbedTool } from "@/lib/mcp/upstream/probe-upstream";
import { startDeadline } from "@/lib/resilience/deadline";
import { checkServer, type ListTools } from "@/lib/servers/health/check-server";
import { dueServers } from "@/lib/servers/health/health-store";

/** How often a process looks whose turn it is. Each server has its turn every thirty seconds, whatever the number of processes. */
const TICK_MS = 5_000;
const MAX_AT_ONCE = 8;

/** Lists over the connection that calls use. No call, so no circuit hears of it. */
export const listOver =
  (upstreams: Pick<Upstreams, "of">): ListTools =>
  async (server, deadlineMs) => {
    const deadline = startDeadline(deadlineMs);
    try {
      return (await listUpstreamTools(upstreams.of(server), deadline)).map(toProbedTool);
    } finally {
      deadline.release();
    }
  };

export type HealthRoundOptions = { readonly processId: string; readonly list: ListTools };

/** Asks every server whose turn it is, a few at a time. One that fails in our own hands does not stop the others. */
export async function healthRound(options: HealthRoundOptions): Promise<number> {
  const due = [...(await dueServers(options.processId))];
  let asked = 0;
  const worker = async () => {
    for (let next = due.shift(); next !== undefined; next = due.shift()) {
      const { serverId } = next;
      const done = await checkServer(next, options).catch((cause: unknown) => {
        logger.warn({ err: cause, serverId }, "a health check failed on our side");
        return null;
      });
      if (done !== null) asked += 1;
    }
  };
  await Promise.all(Array.from({ length: MAX_AT_ONCE }, worker));
  return asked;
}

type Loop = { timer: NodeJS.Timeout | null; round: Promise<unknown>; stopped: boolean };
const loop = singleton("gateway.health", (): Loop => ({ timer: null, round: Promise.resolve(), stopped: true }));

/** Starts asking; once per process. */
export function startHealthLoop(): void {
  if (!loop.stopped) return;
  loop.stopped = false;
  const turn = () => {
    const options = { processId: gatewayId(), list: listOver(getGateway().upstreams) };
    loop.round = healthRound(options)
      .catch((cause: unknown) => logger.warn({ err: cause }, "the health loop could not look"))
      .finally(again);
  };
  const again = () => {
    if (loop.stopped) return;
    loop.timer = setTimeout(turn, TICK_MS * (0.8 + 0.4 * Math.random())).unref();
  };
  again();
}

/** Stops asking, and waits for what is being asked. */
export async function stopHealthLoop(): Promise<void> {
  loop.stopped = true;
  if (loop.timer !== null) clearTimeout(loop.timer);
  loop.timer = null;
  await loop.round;
}
