import { expect, it } from "vitest";
import { makeWorkShare } from "@/lib/resilience/work-share";

it("lets work have a share of the time, some of it at once, and pays back what was overdrawn", () => {
  let time = 0;
  const share = makeWorkShare({ now: () => time, share: 0.1, atOnceMs: 100 });
  const work = (ms: number) =>
    share.run(() => {
      time += ms;
      return "done";
    });
  expect(work(60)).toBe("done");
  expect(work(90)).toBe("done");
  expect(work(1)).toBeNull();
  // 50 were overdrawn, but for the 15 that came back meanwhile.
  time += 300;
  expect(work(1)).toBeNull();
  time += 200;
  expect(work(1)).toBe("done");
  time += 10_000;
  expect(work(100)).toBe("done");
  expect(work(1)).toBe("done");
});

it("counts work that fails", () => {
  let time = 0;
  const share = makeWorkShare({ now: () => time, share: 0.1, atOnceMs: 10 });
  const fail = () =>
    share.run(() => {
      time += 50;
      throw new Error("no");
    });
  expect(fail).toThrow("no");
  expect(fail()).toBeNull();
});
