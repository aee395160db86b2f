import type { AppError } from "@/lib/core/errors";
import { broken } from "@/lib/mcp/upstream/faults";
import { MAX_ANSWER_BYTES } from "@/lib/mcp/upstream/protocol";

/** What a server may say that answers nobody, within a while. */
const LIMIT = { windowMs: 10_000, bytes: MAX_ANSWER_BYTES, messages: 100_000 };

/** Counts what nobody waited for; a server that says too much of it would cost us a processor, and is given up. */
export function makeNoiseLimit(giveUp: (fault: AppError) => void, now = Date.now): (bytes: number) => void {
  let [since, bytes, messages] = [now(), 0, 0];
  return (more) => {
    const at = now();
    if (at - since > LIMIT.windowMs) [since, bytes, messages] = [at, 0, 0];
    bytes += more;
    messages += 1;
    if (bytes > LIMIT.bytes || messages > LIMIT.messages) giveUp(broken("its answers are flooded with other things"));
  };
}
