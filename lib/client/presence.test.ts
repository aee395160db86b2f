import { describe, expect, it } from "vitest";
import { watchPresence } from "@/lib/client/presence";

describe("a page", () => {
  it("is attended for a minute after it was opened and after each act of a person, and not otherwise", () => {
    let now = 1_000_000;
    const page = new EventTarget();
    const isAttended = watchPresence(page, () => now);
    expect(isAttended()).toBe(true);
    now += 60_001;
    expect(isAttended()).toBe(false);
    for (const act of ["keydown", "pointerdown", "pointermove", "wheel", "touchmove"]) {
      page.dispatchEvent(new Event(act));
      expect(isAttended()).toBe(true);
      now += 60_001;
      // What the page does by itself is no act.
      page.dispatchEvent(new Event("scroll"));
      expect(isAttended()).toBe(false);
    }
  });
});
