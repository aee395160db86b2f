import { afterEach, expect, it } from "vitest";
import { resetSingleton } from "@/lib/core/singleton";
import { changeSubscription, followedBy, logLevelOf, reservePlace, setLogLevel } from "@/lib/mcp/door/session-notes";

afterEach(() => resetSingleton("mcp.session-notes"));

const place = (nth: number) => ({ server: "files", name: `test://${nth}` });
async function follow(owner: string, nth: number): Promise<void> {
  const release = reservePlace(owner, place(nth));
  await changeSubscription(owner, place(nth), true);
  release();
}

it("follows no more resources than it can, and says so", async () => {
  const { places } = followedBy("one", () => undefined);
  for (let nth = 1; nth <= 256; nth += 1) await follow("one", nth);
  await expect(follow("one", 257)).rejects.toMatchObject({ code: "conflict" });
  await follow("one", 256);
  await follow("other", 257);
  await changeSubscription("one", place(1), false);
  await follow("one", 257);
  expect(places.size).toBe(256);
  expect([...places.values()].at(-1)).toEqual(place(257));
});

it("counts what servers are being asked for, each once, until they have answered", async () => {
  for (let nth = 1; nth <= 255; nth += 1) await follow("one", nth);
  const asking = reservePlace("one", place(256));
  await expect(follow("one", 257)).rejects.toMatchObject({ code: "conflict" });
  reservePlace("one", place(256))();
  await expect(follow("one", 257)).rejects.toMatchObject({ code: "conflict" });
  asking();
  await follow("one", 257);
});

it("keeps what an open stream has to know, however many other sessions say something", async () => {
  let changes = 0;
  const { places, leave } = followedBy("one", () => (changes += 1));
  await follow("one", 1);
  await setLogLevel("one", "debug");
  for (let nth = 0; nth <= 10_000; nth += 1) await setLogLevel(`other ${nth}`, "info");
  await changeSubscription("one", place(1), false);
  expect([changes, places.size, logLevelOf("one")]).toEqual([2, 0, "debug"]);
  leave();
  expect(logLevelOf("one")).toBe("debug");
  for (let nth = 0; nth <= 10_000; nth += 1) await setLogLevel(`other ${nth}`, "info");
  expect(logLevelOf("one")).toBeUndefined();
});

it("tells every stream of a session what it follows by now", async () => {
  const told: string[] = [];
  const [, newer] = ["older", "newer"].map((name) => followedBy("one", () => told.push(name)));
  await follow("one", 1);
  expect(told).toEqual(["older", "newer"]);
  newer?.leave();
  await follow("one", 2);
  expect(told).toEqual(["older", "newer", "older"]);
});
