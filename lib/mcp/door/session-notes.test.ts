import { afterEach, expect, it } from "vitest";
import { resetSingleton } from "@/lib/core/singleton";
import { changeSubscription, followedBy } from "@/lib/mcp/door/session-notes";

afterEach(() => resetSingleton("mcp.session-notes"));

const place = (nth: number) => ({ server: "files", name: `test://${nth}` });
const follow = (owner: string, nth: number) => changeSubscription(owner, place(nth), true);

it("follows no more resources than it can, and says so", async () => {
  const places = followedBy("one", () => undefined);
  for (let nth = 1; nth <= 256; nth += 1) await follow("one", nth);
  await expect(follow("one", 257)).rejects.toMatchObject({ code: "conflict" });
  await follow("one", 256);
  await follow("other", 257);
  await changeSubscription("one", place(1), false);
  await follow("one", 257);
  expect(places.size).toBe(256);
  expect([...places.values()].at(-1)).toEqual(place(257));
});
