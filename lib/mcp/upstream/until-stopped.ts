import { stopped } from "@/lib/mcp/upstream/faults";
import type { Deadline } from "@/lib/resilience/deadline";

/** Waits for shared work no longer than this caller may wait. */
export function untilStopped<T>(work: Promise<T>, deadline: Deadline): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onStop = () => reject(stopped(deadline.stopped() ?? "cancelled"));
    if (deadline.stopped() !== null) onStop();
    const forget = deadline.onStop(onStop);
    work.then(resolve, reject).finally(forget);
  });
}
