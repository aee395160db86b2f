import { describe, expect, it } from "vitest";
import { Caller, type Leaving } from "@/lib/core/leaving";

type Subject = { readonly name: string; readonly make: () => { readonly signal: Leaving; readonly leave: () => void } };

/** What our work relies on, of ours and of the platform's, so that one can stand for the other. */
const SUBJECTS: readonly Subject[] = [
  {
    name: "a caller",
    make: () => {
      const caller = new Caller();
      return { signal: caller, leave: () => caller.leave() };
    },
  },
  {
    name: "an AbortController",
    make: () => {
      const controller = new AbortController();
      return { signal: controller.signal, leave: () => controller.abort() };
    },
  },
];

describe.each(SUBJECTS)("$name", ({ make }) => {
  it("tells each listener once, in order, and none that was taken back", () => {
    const { signal, leave } = make();
    const told: string[] = [];
    const second = () => told.push("second");
    const listeners = {
      first: () => {
        told.push("first");
        // Taken back while the others are told.
        signal.removeEventListener("abort", second);
      },
      third: () => told.push("third"),
      never: () => told.push("never"),
    };
    signal.addEventListener("abort", listeners.never, { once: true });
    signal.addEventListener("abort", listeners.first, { once: true });
    signal.addEventListener("abort", second, { once: true });
    signal.addEventListener("abort", listeners.third, { once: true });
    signal.removeEventListener("abort", listeners.never);
    expect(signal.aborted).toBe(false);
    leave();
    leave();
    expect(signal.aborted).toBe(true);
    expect(told).toEqual(["first", "third"]);
  });

  it("tells nobody who comes too late", () => {
    const { signal, leave } = make();
    leave();
    let told = 0;
    signal.addEventListener("abort", () => (told += 1), { once: true });
    leave();
    expect(told).toBe(0);
  });
});
