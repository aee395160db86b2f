import fc from "fast-check";
import { expect, it } from "vitest";
import { jointContents, jointLinks } from "@/lib/mcp/door/names";
import { wholeResult } from "@/lib/mcp/upstream/large-answers";
import { LargeMessage } from "@/lib/mcp/upstream/large-message";
import { prefixUris } from "@/lib/mcp/upstream/prefix-uris";
import type { Json, LargeResult } from "@/lib/mcp/upstream/protocol";

/** What is large in these tests. */
const LARGE = 2_000;
const filler = { type: "text", text: "x".repeat(LARGE) };

const jointLarge = (large: LargeResult, which: "links" | "all") => prefixUris(large, which, "s+", jointLarge);

type Read = { readonly head: Json; readonly large: LargeResult };

async function read(text: string): Promise<Read> {
  const message = new LargeMessage(Buffer.from(`{"id":1,"result":${text}}`), LARGE);
  while (!message.step());
  const { message: found, large } = await message.message();
  if (large === undefined) throw new Error("it is not large");
  return { head: found["result"] as Json, large };
}

const uris = fc.oneof(
  fc.constantFrom("file:///a", "https://a/b", "HTTP://a", "http", 'db://é"\\', ""),
  fc.constantFrom(7, null, { uri: "file:///in" }, ["file:///in"]),
);
const kinds = fc.constantFrom("resource_link", "resource", "text", "resource_", 1, { type: "resource" });
const resources = fc.oneof(
  fc.record({ uri: uris, text: fc.string(), more: fc.constant({ uri: "file:///deep" }) }, { requiredKeys: [] }),
  fc.constantFrom("uri", ["uri", { uri: "file:///in" }], { meta: { uri: "x" }, uri: "file:///z" }),
);
/** Members in any order: what an object is may be said last. */
const anyOrder = (object: Json): fc.Arbitrary<Json> => {
  const members = Object.entries(object);
  return fc
    .shuffledSubarray(members, { minLength: members.length })
    .map((shuffled) => Object.fromEntries(shuffled) as Json);
};
const links = fc
  .record(
    { type: kinds, uri: uris, resource: resources, annotations: fc.constant({ uri: "file:///no" }) },
    { requiredKeys: [] },
  )
  .chain(anyOrder);
const items = fc.oneof(links, fc.constantFrom("uri", 1, ["file:///x"], [{ type: "resource_link", uri: "file:///in" }]));
const messages = fc
  .record({ role: fc.constant("user"), content: items, meta: links, uri: uris }, { requiredKeys: [] })
  .chain(anyOrder);
const results = fc.oneof(
  fc.array(items).map((all) => ({ content: [...all, filler, { type: "resource_link", uri: "file:///last" }] })),
  fc.array(messages).map((all) => ({ messages: [{ role: "user", content: filler }, ...all] })),
  fc.array(items).map((all) => ({ structuredContent: { content: all, filler }, content: all })),
);

it("an answer that stays bytes gets the links of the joint door that it would get as an object", async () => {
  await fc.assert(
    fc.asyncProperty(results, fc.constantFrom(undefined, 1), async (result, indent) => {
      const { head, large } = await read(JSON.stringify(result, null, indent));
      const moved = wholeResult(jointLinks("s", head), await jointLarge(large, "links"));
      expect(moved).toEqual(jointLinks("s", JSON.parse(JSON.stringify(result)) as Json));
    }),
    { numRuns: 500 },
  );
});

it("what was read gets both: its own addresses, and those of links beside it", async () => {
  const result = {
    content: [{ uri: "file:///a", type: "resource_link" }, filler],
    contents: [{ uri: "https://a" }, { uri: "file:///b", text: filler.text }],
  };
  const { head, large } = await read(JSON.stringify(result));
  const moved = jointLinks("s", jointContents("s", result));
  expect(wholeResult(head, await jointLarge(large, "all"))).toEqual(moved);
  // Kept answers come back in one piece.
  const whole = { ...large, pieces: [new Uint8Array(Buffer.concat(large.pieces))] };
  expect(wholeResult(head, await jointLarge(whole, "all"))).toEqual(moved);
});

it("a member that stands twice counts as the parser of a client takes it", async () => {
  const item = '{"uri":"file:///a","uri":"file:///b","type":"text","type":"resource_link"}';
  const text = `{"content":[${item},${JSON.stringify(filler)}]}`;
  const { head, large } = await read(text);
  const moved = jointLinks("s", JSON.parse(text) as Json);
  expect(wholeResult(head, await jointLarge(large, "links"))).toEqual(moved);
});

it("moves many links between other things, not at once", async () => {
  const link = { type: "resource_link", uri: "x:" };
  const { large } = await read(JSON.stringify({ content: Array.from({ length: 50_000 }, () => link) }));
  let [turns, isDone] = [0, false];
  const count = () => {
    turns += 1;
    if (!isDone) setImmediate(count);
  };
  count();
  await jointLarge(large, "links");
  isDone = true;
  expect(turns).toBeGreaterThan(4);
});

it("bears an object of nothing but addresses", async () => {
  const text = `{"content":[{${'"uri":"file:///a",'.repeat(300_000)}"type":"resource_link"}]}`;
  const { large } = await read(text);
  expect(large.uris.links).toHaveLength(300_000);
});
