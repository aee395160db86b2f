import { logger } from "@/lib/core/logger";

/** Tells the log when a receiver stops and begins to take what it is sent: once per change, however long it lasts. */
export function receiverLog(signal: "traces" | "metrics"): (error: Error | null) => void {
  let failing = false;
  return (error) => {
    if (error !== null && !failing) logger.warn({ signal, reason: error.message }, "the receiver takes nothing");
    if (error === null && failing) logger.info({ signal }, "the receiver takes everything again");
    failing = error !== null;
  };
}
