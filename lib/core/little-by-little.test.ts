import { expect, it } from "vitest";
import { littleByLittle } from "@/lib/core/little-by-little";

const [A, B] = [{}, {}];

function work(owner: object, name: string, steps: number, told: string[], isWanted = () => true) {
  let left = steps;
  return littleByLittle({
    owner,
    isWanted,
    step() {
      told.push(name);
      left -= 1;
      return left === 0;
    },
  });
}

it("does one piece of work at a time, and lets owners take turns", async () => {
  const told: string[] = [];
  const all = [work(A, "a1", 2, told), work(A, "a2", 1, told), work(A, "a3", 1, told), work(B, "b1", 2, told)];
  expect(await Promise.all(all)).toEqual([true, true, true, true]);
  expect(told).toEqual(["a1", "a1", "b1", "b1", "a2", "a3"]);
});

it("lets everything else go on between its steps", async () => {
  let turns = 0;
  const count = setInterval(() => {
    turns += 1;
  }, 1);
  const busy = () => {
    for (const until = performance.now() + 0.5; performance.now() < until; );
  };
  let left = 200;
  await littleByLittle({
    owner: A,
    isWanted: () => true,
    step() {
      busy();
      left -= 1;
      return left === 0;
    },
  });
  clearInterval(count);
  expect(turns).toBeGreaterThan(20);
});

it("drops what nobody wants any more, and what fails, and goes on", async () => {
  const told: string[] = [];
  let isWanted = true;
  const dropped = work(A, "dropped", 1_000_000_000, told, () => isWanted);
  const failed = littleByLittle({
    owner: B,
    isWanted: () => true,
    step: () => {
      throw new Error("broken");
    },
  });
  const after = work(A, "after", 1, told);
  setTimeout(() => {
    isWanted = false;
  }, 20);
  await expect(failed).rejects.toThrow("broken");
  expect(await dropped).toBe(false);
  expect(await after).toBe(true);
  expect(told.at(-1)).toBe("after");
});
