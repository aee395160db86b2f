import "server-only";
import { startAlerts, stopAlerts } from "@/lib/alerts/loop";
import { flushDenials } from "@/lib/audit/denials";
import { countProcesses } from "@/lib/audit/process-count";
import { closeProcess, registerProcess } from "@/lib/audit/processes";
import { recoverOpenIntents } from "@/lib/audit/recover-open-intents";
import { closeTrail } from "@/lib/audit/trail";
import { flushRefusals } from "@/lib/auth/refusals";
import { startNotices, stopNotices } from "@/lib/channels/deliver-notices";
import { logger } from "@/lib/core/logger";
import { singleton } from "@/lib/core/singleton";
import { closeDatabase, openDatabase } from "@/lib/db/open-database";
import { processSecrets } from "@/lib/db/process-secrets";
import { connectBus } from "@/lib/db/redis-bus";
import { connectSharedRedis } from "@/lib/db/redis-client";
import { env } from "@/lib/env";
import { circuitViews } from "@/lib/gateway/circuits";
import { closeGateway } from "@/lib/gateway/compose";
import { readGatewayFigures } from "@/lib/gateway/gateway-figures";
import { startHealthLoop, stopHealthLoop } from "@/lib/gateway/health";
import { poolViews, warmPools } from "@/lib/gateway/pools";
import { setCircuitSource } from "@/lib/metrics/circuit-source";
import { provideGatewayFigures } from "@/lib/metrics/gateway-source";
import { startPush, stopPush } from "@/lib/metrics/push-families";
import { startRecorder, stopRecorder } from "@/lib/metrics/recorder";
import { startRollUps, stopRollUps } from "@/lib/metrics/roll-up";
import { provideCircuitViews } from "@/lib/servers/circuit-views";
import { startTracing, stopTracing } from "@/lib/telemetry/start-tracing";

export type BootOptions = {
  /** Fills an empty database; run once everything it may record with is there. */
  readonly seed?: () => Promise<unknown>;
};

type Booted = { readonly disconnectRedis: (() => Promise<void>) | null };

const state = singleton("gateway.boot", () => ({ booting: null as Promise<Booted> | null }));

/** Makes the process ready to serve. Idempotent: the entry and Next's instrumentation may both ask. */
export async function boot(options: BootOptions = {}): Promise<void> {
  state.booting ??= start(options).catch((cause: unknown) => {
    state.booting = null;
    throw cause;
  });
  await state.booting;
}

/** True once `boot` has ended well. */
export const hasBooted = (): boolean => state.booting !== null;

async function start({ seed }: BootOptions): Promise<Booted> {
  const settings = env();
  logger.level = settings.LOG_LEVEL;
  // Before anything is opened: a process without its secrets must say so, not half start.
  processSecrets();
  await Promise.all([startTracing(), openDatabase()]);
  await registerProcess();
  await countProcesses();
  startRecorder();
  // Calls that a dead process left open are told as unknown before new ones begin.
  const unknown = await recoverOpenIntents();
  if (unknown > 0) logger.warn({ unknown }, "calls of a stopped process were closed as unknown");
  const disconnectRedis = settings.REDIS_URL === undefined ? null : await connectRedis(settings.REDIS_URL);
  provideCircuitViews(circuitViews, poolViews);
  setCircuitSource(circuitViews);
  provideGatewayFigures(readGatewayFigures);
  await seed?.();
  startHealthLoop();
  startRollUps();
  await startPush();
  startNotices();
  startAlerts();
  warmPools().catch((cause: unknown) => logger.warn({ err: cause }, "connections were not opened ahead"));
  return { disconnectRedis };
}

async function connectRedis(url: string): Promise<() => Promise<void>> {
  const disconnect = await Promise.all([connectBus(url), connectSharedRedis(url)]);
  return async () => {
    await Promise.all(disconnect.map((each) => each()));
  };
}

/** Ends everything `boot` opened, the trail last but for its figures and the database. */
export async function shutdown(): Promise<void> {
  const { booting } = state;
  state.booting = null;
  if (booting === null) return;
  const { disconnectRedis } = await booting;
  await Promise.all([stopHealthLoop(), stopRollUps(), stopPush(), stopNotices(), stopAlerts()]);
  await closeGateway();
  await Promise.all([flushRefusals(), flushDenials()]);
  await stopTracing();
  await disconnectRedis?.();
  await closeProcess();
  await closeTrail();
  await stopRecorder();
  await closeDatabase();
}
