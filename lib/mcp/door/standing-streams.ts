import { AppError } from "@/lib/core/errors";
import type { Leaving } from "@/lib/core/leaving";
import { singleton } from "@/lib/core/singleton";

/** Streams that stay open without a call: they end when the process stops taking work, or their holder has too many. */
const open = (): Map<() => void, string> => singleton("mcp.standing-streams", () => new Map());

const MAX_PER_HOLDER = 32;
/** A stream ends after this long and is opened again with a key that is checked anew. */
export const LONGEST_MS = 5 * 60_000;
/** Some end earlier, by up to this part: clients that came together, as after a restart, do not all come back together. */
const SPREAD = 0.2;

/** Waits until the client leaves, the time is up or the process stops. Throws `rate_limited` before it waits. */
export function holdStream(holder: string, left: Leaving): { readonly over: Promise<void>; readonly end: () => void } {
  const held = [...open().values()].filter((each) => each === holder).length;
  if (held >= MAX_PER_HOLDER) {
    throw new AppError("rate_limited", `No more than ${MAX_PER_HOLDER} streams may be open at once.`, {
      retryAfterMs: 10_000,
    });
  }
  let end: () => void = () => undefined;
  const over = new Promise<void>((resolve) => {
    const timer = setTimeout(() => end(), LONGEST_MS * (1 - SPREAD * Math.random()));
    end = () => {
      clearTimeout(timer);
      open().delete(end);
      left.removeEventListener("abort", end);
      resolve();
    };
  });
  open().set(end, holder);
  if (left.aborted) end();
  else left.addEventListener("abort", end, { once: true });
  return { over, end };
}

/** Ends every standing stream, so that a stop need not wait for them. */
export function endStandingStreams(): void {
  for (const end of [...open().keys()]) end();
}
