import { type ChildProcess, spawn } from "node:child_process";
import { databaseUrl } from "@/lib/db/client";
import { buildForTest, type TestBundle } from "@/lib/testing/bundle";

/** A process that delivers what is due and then ends. */
const CHILD = `
import { makeDelivery } from "@/lib/channels/deliver-notices";
import { logger } from "@/lib/core/logger";
import { openDatabase } from "@/lib/db/open-database";
logger.level = "silent";
await openDatabase();
const delivery = makeDelivery({ deadlineMs: 30_000 });
await delivery.look();
await delivery.settled();
process.exit(0);
`;

export const buildDeliveryProcess = (): Promise<TestBundle> => buildForTest(CHILD);

/** Starts it with the settings of the test that asks. */
export const startDeliveryProcess = (bundle: TestBundle): ChildProcess =>
  spawn(process.execPath, [bundle.entry], {
    env: { ...process.env, DATABASE_URL: databaseUrl(), REDIS_URL: "", DEMO: "0", NODE_NO_WARNINGS: "1" },
    stdio: ["ignore", "ignore", "inherit"],
  });
