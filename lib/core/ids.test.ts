import { afterEach, expect, it, vi } from "vitest";
import { isUuid, newId } from "@/lib/core/ids";

afterEach(() => vi.restoreAllMocks());

const timeOf = (id: string): number => Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);

it("makes uuids of version 7 that hold their millisecond, each after the one before", () => {
  const from = Date.now();
  const ids = Array.from({ length: 20_000 }, newId);
  const to = Date.now();
  expect(ids.every((id) => isUuid(id) && id[14] === "7" && "89ab".includes(id[19] ?? ""))).toBe(true);
  expect(ids.every((id) => timeOf(id) >= from && timeOf(id) <= to)).toBe(true);
  expect(ids.every((id, at) => at === 0 || id > (ids[at - 1] ?? ""))).toBe(true);
  // Random but for a few bits: none is met twice, whatever the time and the counter say.
  expect(new Set(ids.map((id) => id.slice(-12))).size).toBe(ids.length);
});

it("stays in order when the clock is set back", () => {
  const clock = vi.spyOn(Date, "now");
  clock.mockReturnValue(4_000_000_000_000);
  const first = newId();
  clock.mockReturnValue(3_999_999_000_000);
  expect(newId() > first).toBe(true);
});
