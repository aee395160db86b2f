import { expect, it } from "vitest";
import { listPages } from "@/lib/mcp/upstream/list-pages";
import type { Json, Upstream } from "@/lib/mcp/upstream/protocol";
import { startDeadline } from "@/lib/resilience/deadline";

/** Lists these pages one after the other, each said to be so large. */
function lister(pages: readonly Json[], bytes = 10): { upstream: Upstream; asked: Json[] } {
  const asked: Json[] = [];
  const request: Upstream["request"] = async ({ params }) => {
    asked.push(params);
    return { result: pages[Number(params["cursor"] ?? 0)] ?? {}, bytes };
  };
  return { upstream: { request } as Upstream, asked };
}
const page = (items: readonly unknown[], next?: number): Json => ({
  tools: items,
  ...(next === undefined ? {} : { nextCursor: String(next) }),
});
const listed = ({ upstream }: { upstream: Upstream }) => {
  const deadline = startDeadline(1_000);
  return listPages(upstream, "tools/list", "tools", deadline).finally(() => deadline.release());
};
const refusal = (pages: readonly Json[], bytes?: number) =>
  expect(listed(lister(pages, bytes))).rejects.toMatchObject({ code: "upstream_protocol" });

it("reads one page after the other until there is no more", async () => {
  const server = lister([page([{ name: "a" }, "no object"], 1), page([{ name: "b" }], 2), page([{ name: "c" }])]);
  expect(await listed(server)).toEqual({ items: [{ name: "a" }, { name: "b" }, { name: "c" }], cut: null });
  expect(server.asked).toEqual([{}, { cursor: "1" }, { cursor: "2" }]);
});

it("stops where a list is none, has no end, or is too much altogether", async () => {
  await refusal([{ tools: {} }]);
  await refusal([page(Array(5_001).fill({}))]);
  const endless = lister([page([{}], 0)]);
  const { items, cut } = await listed(endless);
  expect(items).toHaveLength(100);
  expect(cut).toBe("Its list of tools does not end within 100 pages; it was cut after 100.");
  const long = Array.from({ length: 100 }, (_, nth) => page([{}], nth < 99 ? nth + 1 : undefined));
  expect(await listed(lister(long))).toMatchObject({ items: { length: 100 }, cut: null });
  const fat = [page([{}], 1), page([{}], 2), page([{}])];
  expect((await listed(lister(fat, 3_000_000))).items).toHaveLength(3);
  await refusal(fat, 4_000_000);
});
