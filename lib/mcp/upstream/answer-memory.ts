import { totalmem } from "node:os";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { singleton } from "@/lib/core/singleton";
import { env } from "@/lib/env";
import { notHeld } from "@/lib/mcp/upstream/faults";

const MEGABYTE = 1_024 * 1_024;
/** Of what the process may have, where nothing is set. */
const SHARE = 1 / 4;
const MOST_MB = 1_024;
const COLLECT_EVERY_MS = 1_000;

type Memory = {
  readonly limit: number;
  /** What was promised to answers that are on their way, bytes. */
  promised: number;
  collectedAt: number;
  readonly collect: () => void;
};

/** What this process may have: what its container allows, otherwise what the machine has, bytes. */
function memoryOfProcess(): number {
  const allowed = process.constrainedMemory() ?? 0;
  return allowed > 0 ? Math.min(allowed, totalmem()) : totalmem();
}

const memory = (): Memory =>
  singleton("upstream.answer-memory", () => {
    setFlagsFromString("--expose-gc");
    return {
      limit: (env().ANSWER_MEMORY_MB ?? Math.min(MOST_MB, (memoryOfProcess() * SHARE) / MEGABYTE)) * MEGABYTE,
      promised: 0,
      collectedAt: Number.NEGATIVE_INFINITY,
      collect: runInNewContext("gc") as () => void,
    };
  });

const isShort = ({ limit, promised }: Memory, more: number): boolean =>
  process.memoryUsage().arrayBuffers + promised + more > limit;

/**
 * Promises memory to a large answer, bytes, or throws where there is too little: a thousand calls to one server may each bring
 * ten megabytes, and a process that is killed for its memory serves nobody. What was promised is kept: once one was let in, it
 * may arrive whole. Small answers need not ask.
 */
export function promiseMemory(bytes: number): AnswerMemory {
  const held = memory();
  if (isShort(held, bytes)) {
    // Answers that were sent long ago count until they are collected, and nobody else may make V8 do that now.
    const now = performance.now();
    if (now - held.collectedAt < COLLECT_EVERY_MS) throw notHeld();
    held.collectedAt = now;
    held.collect();
    if (isShort(held, bytes)) throw notHeld();
  }
  return new AnswerMemory(held, bytes);
}

/** Memory that was promised to one answer. What has arrived is seen where it is held. */
export class AnswerMemory {
  private readonly held: Memory;
  private left: number;

  constructor(held: Memory, bytes: number) {
    this.held = held;
    this.left = bytes;
    held.promised += bytes;
  }

  take(bytes: number): void {
    const taken = Math.min(bytes, this.left);
    this.left -= taken;
    this.held.promised -= taken;
  }

  end(): void {
    this.take(this.left);
  }
}
