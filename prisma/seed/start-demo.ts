import { setTimeout as sleep } from "node:timers/promises";
import { logger } from "@/lib/core/logger";
import { singleton } from "@/lib/core/singleton";
import { baseUrl, env } from "@/lib/env";
import { SCENARIOS, seedDemo, settleDemo } from "@/prisma/seed";
import { readDemoFile, refreshBaseUrl } from "@/prisma/seed/demo-file";
import { stopDemoHttpUpstream } from "@/prisma/seed/demo-http-upstream";
import { makeFirstCalls } from "@/prisma/seed/first-calls";

const STOP_MS = 3_000;

const state = singleton("demo", () => ({
  fresh: false,
  background: Promise.resolve(),
  stop: new AbortController(),
}));

/** For `boot({ seed })`: the demo where it is asked for. A demo that cannot be set up does not keep the product from starting. */
export async function startDemo(): Promise<void> {
  if (!env().demo) return;
  try {
    state.fresh = (await seedDemo({ baseUrl: baseUrl(), dataDir: env().DATA_DIR })).fresh;
  } catch (cause) {
    logger.error({ err: cause }, "the demo could not be set up");
  }
}

/** Once the process listens: names its true address, sets up what was slow, and makes the first calls. Returns at once. */
export function continueDemo(): void {
  if (!env().demo) return;
  const dataDir = env().DATA_DIR;
  state.background = background(dataDir).catch((cause: unknown) => {
    logger.warn({ err: cause }, "the demo's background work stopped");
  });
}

async function background(dataDir: string): Promise<void> {
  await refreshBaseUrl(dataDir, baseUrl());
  await settleDemo(dataDir);
  const file = await readDemoFile(dataDir);
  if (!state.fresh || file === null) return;
  state.fresh = false;
  await makeFirstCalls(file, SCENARIOS, dataDir, state.stop.signal);
}

/** Before the database closes: ends what runs in the background, and the demo's own server. */
export async function stopDemo(): Promise<void> {
  state.stop.abort();
  await Promise.race([state.background, sleep(STOP_MS, undefined, { ref: false })]);
  await stopDemoHttpUpstream();
}
