import { steadyClock } from "@/lib/core/clock";
import type { AppError } from "@/lib/core/errors";
import { type Soon, soon } from "@/lib/core/soon";
import { broken } from "@/lib/mcp/upstream/faults";
import { MAX_ANSWER_BYTES } from "@/lib/mcp/upstream/protocol";

/** What a server may say that answers nobody, within a while. */
const LIMIT = { windowMs: 10_000, bytes: MAX_ANSWER_BYTES, messages: 100_000 };

/** For how many messages each counts: what costs us more, or makes less sense, may come less often. */
const WEIGHT = { message: 1, stray: 10, ping: 100, asked: 500, unreadable: 1_000 } as const;

/** Something that nobody waited for: a message of the server's own, an answer to nobody, a ping, a question (each answer is a message of ours, or a POST), or nothing one can read. */
export type Noise = keyof typeof WEIGHT;
/** What became of something that a server said. */
export type Heard = "answer" | Noise;

/** Counts, of what is heard, what nobody waited for; a server that says too much of it would cost us a processor, and is given up. */
export function makeNoiseLimit(
  giveUp: (fault: AppError) => void,
  now = steadyClock.now,
): (bytes: number, heard: Soon<Heard>) => void {
  let [since, bytes, messages] = [now(), 0, 0];
  const count = (more: number, heard: Heard) => {
    if (heard === "answer") return;
    const at = now();
    if (at - since > LIMIT.windowMs) [since, bytes, messages] = [at, 0, 0];
    bytes += more;
    messages += WEIGHT[heard];
    if (bytes > LIMIT.bytes || messages > LIMIT.messages) giveUp(broken("its answers are flooded with other things"));
  };
  return (more, heard) => void soon(heard, (known) => count(more, known));
}
