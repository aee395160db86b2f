import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, it } from "vitest";
import { JsonFault } from "@/lib/core/json-scanner";
import { wholeResult } from "@/lib/mcp/upstream/large-answers";
import { LargeMessage, type ReadMessage } from "@/lib/mcp/upstream/large-message";
import { prefixUris } from "@/lib/mcp/upstream/prefix-uris";
import type { Json } from "@/lib/mcp/upstream/protocol";

/** What is large in these tests. */
const LARGE = 2_000;

async function read(text: string): Promise<ReadMessage> {
  const message = new LargeMessage(Buffer.from(text), LARGE);
  while (!message.step());
  return message.message();
}
const faultOf = (text: string) =>
  read(text).then(
    () => null,
    (cause: unknown) => (cause instanceof JsonFault ? cause.message : Promise.reject(cause)),
  );

const resultOf = ({ message }: ReadMessage): Json => message["result"] as Json;
const big = "x".repeat(LARGE);

const names = fc.oneof(
  fc.constantFrom(
    "content",
    "structuredContent",
    "contents",
    "_meta",
    "isError",
    "resultType",
    "__proto__",
    'a"b',
    "é",
  ),
  fc.string({ unit: "binary", maxLength: 8 }),
);
const values = fc.oneof(fc.jsonValue(), fc.constantFrom(big, [big, { uri: "file:///a" }], [{ uri: "a" }, { uri: 1 }]));
const results = fc
  .array(fc.tuple(names, values), { maxLength: 8 })
  .map((members) => Object.fromEntries(members.filter(([name]) => name !== "_meta" && name !== "resultType")))
  // As it comes over the wire.
  .map((result) => JSON.parse(JSON.stringify({ ...result, [`more ${big}`.slice(0, 20)]: big })) as Json);

it("says the same in parts as in one, and keeps a digest of exactly what the server wrote", async () => {
  const indents = fc.constantFrom(undefined, 1, "\t");
  await fc.assert(
    fc.asyncProperty(results, fc.integer(), indents, fc.boolean(), async (result, id, indent, idFirst) => {
      const message = idFirst ? { jsonrpc: "2.0", id, result } : { result, id, jsonrpc: "2.0" };
      const found = await read(JSON.stringify(message, null, indent));
      expect(found.message["id"]).toBe(id);
      expect(wholeResult(resultOf(found), found.large)).toEqual(result);
      const compact = JSON.stringify(result);
      const sha256 = createHash("sha256").update(compact).digest("hex");
      expect(found.large?.digest).toMatchObject({ bytes: Buffer.byteLength(compact), sha256 });
      const { start = "" } = found.large?.digest ?? {};
      expect(compact.startsWith(start.replace(/\uFFFD+$/, ""))).toBe(true);
    }),
    { numRuns: 500 },
  );
});

it("makes objects of small members, and of what the gateway itself looks at, however large", async () => {
  const result = { content: [big], isError: true, note: "small", _meta: { wide: big }, requestState: big };
  const found = await read(JSON.stringify({ id: 1, result }));
  const { content: _, ...head } = result;
  expect(resultOf(found)).toEqual(head);
  expect(Buffer.concat(found.large?.pieces ?? []).toString()).toBe(`"content":["${big}"]`);
});

it("reads what is no plain result as one, up to a bound", async () => {
  const asks = { resultType: "input_required", inputRequests: { one: big } };
  const others = [
    { id: 1, result: asks },
    { id: 1, error: { code: -32000, message: big } },
    { id: "q", method: "sampling/createMessage", params: { picture: big } },
    { id: 1, result: [big] },
    { id: 1, result: { content: "small" }, more: big },
  ];
  for (const message of others) {
    expect(await read(JSON.stringify(message))).toEqual({ message, large: undefined });
  }
  const escaped = JSON.stringify({ id: 1, result: asks }).replace("input_required", "input\\u005frequired");
  expect(await read(escaped)).toEqual({ message: { id: 1, result: asks }, large: undefined });
  const bound = expect.stringContaining("and no plain result");
  expect(await faultOf(JSON.stringify({ id: 1, error: { message: "x".repeat(2_000_000) } }))).toEqual(bound);
  expect(await faultOf(JSON.stringify({ id: 1, error: { data: Array(200_000).fill(1) } }))).toEqual(bound);
});

it("refuses a name that stands twice, where it would be ours to replace, and what is out of all proportion", async () => {
  const inResult = (members: string) => faultOf(`{"id":1,"result":{"content":"${big}",${members}}}`);
  expect(await inResult('"_meta":{},"_meta":{"dev.countersign/entry":"forged"}')).toBe("names _meta twice");
  expect(await inResult('"_meta":{},"\\u005fmeta":{}')).toBe("names _meta twice");
  expect(await faultOf(`{"id":1,"id":2,"result":{"content":"${big}"}}`)).toBe("names id twice");
  expect(await inResult(`"_meta":{"wide":"${"x".repeat(70_000)}"}`)).toContain("beside its content");
  expect(await inResult(`"${"n".repeat(2_000)}":1`)).toContain("a name of more than");
  expect(await inResult(Array.from({ length: 11_000 }, (_, at) => `"${at}":1`).join(","))).toContain("members");
  expect(await faultOf(`{"id":"${big}","result":{"content":"${big}"}}`)).toBe("has too large an id");
  // Below that it is the server's own matter.
  expect(await inResult('"b":{"c":1,"c":2}')).toBeNull();
});

it("makes an object of a large result up to a bound: lists are looked at here, and answers of tools are not", async () => {
  const wholeOf = async (count: number, size: number) => {
    const found = await read(JSON.stringify({ id: 1, result: { tools: Array(count).fill("x".repeat(size)) } }));
    return wholeResult(resultOf(found), found.large);
  };
  expect(await wholeOf(40, 100_000)).toMatchObject({ tools: expect.any(Array) });
  await expect(wholeOf(50, 100_000)).rejects.toMatchObject({ code: "upstream_protocol" });
  await expect(wholeOf(260_000, 1)).rejects.toMatchObject({ code: "upstream_protocol" });
});

it("finds the addresses of contents, and nothing else that is called so", async () => {
  const contents = [{ uri: "file:///a", text: big }, ["x"], { uri: 7 }, { other: { uri: "x" } }, "uri", { uri: 'é"' }];
  const result = { uri: "y", rest: { uri: "z", more: big }, contents, also: [{ uri: "w" }, big] };
  const found = await read(JSON.stringify({ id: 1, result }, null, 2));
  const { large } = found;
  if (large === undefined) throw new Error("it is not large");
  const moved = contents.map((each) =>
    typeof each === "object" && "uri" in each && typeof each.uri === "string"
      ? { ...each, uri: `sl"ug+${each.uri}` }
      : each,
  );
  const all = await prefixUris(large, "all", 'sl"ug+', large);
  expect(wholeResult(resultOf(found), all)).toEqual({ ...result, contents: moved });
});
