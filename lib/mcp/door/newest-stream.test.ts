import { expect, it } from "vitest";
import { enterStream } from "@/lib/mcp/door/newest-stream";

it("of several streams of one session in a process is the one that was opened last", () => {
  const [older, other, newer] = [enterStream("one"), enterStream("two"), enterStream("one")];
  expect([older, other, newer].map((stream) => stream.isNewest())).toEqual([false, true, true]);
  newer.leave();
  expect(older.isNewest()).toBe(true);
  older.leave();
  other.leave();
});
