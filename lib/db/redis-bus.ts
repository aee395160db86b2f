import { createClient } from "redis";
import { z } from "zod";
import { type BusMessage, bus } from "@/lib/core/bus";
import { newId } from "@/lib/core/ids";
import { logger } from "@/lib/core/logger";
import { env } from "@/lib/env";

const FIRST_CONNECT_MS = 2_000;
const LONGEST_WAIT_MS = 5_000;

const id = z.string().max(64);
const busMessage = z.discriminatedUnion("topic", [
  z.object({ topic: z.literal("agent.changed"), tenantId: id, agentId: id }),
  z.object({ topic: z.literal("server.changed"), tenantId: id, serverId: id }),
  z.object({ topic: z.literal("circuit.changed"), tenantId: id, circuit: z.string().max(400) }),
  z.object({ topic: z.literal("profile.changed"), tenantId: id }),
  z.object({ topic: z.literal("permission_map.changed"), tenantId: id }),
  z.object({ topic: z.literal("role.changed"), tenantId: id }),
  z.object({ topic: z.literal("tenant.changed"), tenantId: id }),
  z.object({ topic: z.literal("kill_switch.changed"), tenantId: id }),
  z.object({ topic: z.literal("limits.changed"), tenantId: id }),
  z.object({
    topic: z.literal("client.answered"),
    ask: id,
    owner: z.string().max(400),
    // Sealed and in base64, which makes it a third longer.
    answer: z.string().max(6 * 1024 * 1024),
  }),
  z.object({ topic: z.literal("session.changed"), sessionId: id }),
  z.object({ topic: z.literal("call.cancelled"), call: z.string().max(800) }),
  z.object({ topic: z.literal("agent_session.ended"), tenantId: id, session: id }),
  z.object({
    topic: z.literal("agent_session.noted"),
    owner: z.string().max(400),
    field: z.string().max(4_200),
    value: z.string().max(64).nullable(),
  }),
  z.object({ topic: z.literal("held_call.asked"), call: id, sealed: z.string().max(1024 * 1024) }),
  z.object({ topic: z.literal("held_call.told"), turn: id, sealed: z.string().max(1024 * 1024) }),
  z.object({ topic: z.literal("agent_session.streamed"), session: id, openedAt: z.number(), isOpen: z.boolean() }),
]);
const envelope = z.object({ from: z.string(), message: busMessage });

/**
 * Carries the bus to the other processes over Redis. Nothing waits for it and nothing is kept for it: while Redis is
 * away, caches still age out within two seconds. Returns the function that disconnects.
 */
export async function connectBus(url: string): Promise<() => Promise<void>> {
  const from = newId();
  const channel = `${env().REDIS_PREFIX}:bus`;
  const publisher = makeClient(url, "publisher");
  const subscriber = makeClient(url, "subscriber");
  bus.relay((message) => {
    if (!publisher.isReady) return;
    publisher.publish(channel, JSON.stringify({ from, message })).catch(() => undefined);
  });
  const connected = Promise.all([
    publisher.connect(),
    subscriber.connect().then(() => subscriber.subscribe(channel, (text) => receive(text, from))),
  ]);
  connected.catch((cause: unknown) => logger.warn({ err: cause }, "Redis: the bus does not reach other processes"));
  // A server that is down must not hold up the start; the clients keep trying on their own.
  await Promise.race([connected.catch(() => undefined), sleep(FIRST_CONNECT_MS)]);
  return async () => {
    bus.relay(() => undefined);
    for (const client of [publisher, subscriber]) client.destroy();
  };
}

function makeClient(url: string, role: string) {
  let down = false;
  const client = createClient({
    url,
    disableOfflineQueue: role === "publisher",
    socket: { connectTimeout: 2_000, reconnectStrategy: (attempt) => Math.min(100 * 2 ** attempt, LONGEST_WAIT_MS) },
  });
  client.on("error", (cause: Error) => {
    if (!down) logger.warn({ role, reason: cause.message }, "Redis is away; caches age out on their own meanwhile");
    down = true;
  });
  client.on("ready", () => {
    if (down) logger.info({ role }, "Redis is back");
    down = false;
  });
  return client;
}

/** Others may write to the channel too: what does not parse is not ours. */
function receive(text: string, self: string): void {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return;
  }
  const parsed = envelope.safeParse(value);
  if (parsed.success && parsed.data.from !== self) bus.deliver(parsed.data.message satisfies BusMessage);
}

const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
