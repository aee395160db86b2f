import fc from "fast-check";
import { expect, it } from "vitest";
import { makeSseReader } from "@/lib/mcp/upstream/sse-reader";

/** What a reader makes of a stream that arrives in pieces of these lengths, the last one repeated. */
function read(stream: Buffer, lengths: readonly number[]): string[] {
  const events: string[] = [];
  const take = makeSseReader((data) => events.push(data));
  for (let from = 0, turn = 0; from < stream.length; turn += 1) {
    const length = lengths[turn % lengths.length] ?? 1;
    take(stream.subarray(from, from + length));
    from += length;
  }
  return events;
}

const line = fc.oneof(
  fc.constantFrom("", "", "data", "data:", ": still here", "event: message", "id: 7", "datax: no", "\uFEFFdata: late"),
  fc.string({ unit: "binary" }).map((text) => `data: ${text.replace(/[\r\n]/g, "")}`),
);

/** The standard, word by word, on the whole text at once. */
function byTheBook(text: string): string[] {
  const events: string[] = [];
  let data: string[] = [];
  for (const each of text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .slice(0, -1)) {
    if (each === "") {
      if (data.length > 0) events.push(data.join("\n"));
      data = [];
    } else {
      const [, field, value] = /^([^:]*)(?::\u0020?([\s\S]*))?$/.exec(each) ?? [];
      if (field === "data") data.push(value ?? "");
    }
  }
  return events;
}

it("reads the same events however a stream is cut", () => {
  const lengths = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });
  const stream = fc.tuple(fc.boolean(), fc.array(fc.tuple(line, fc.constantFrom("\n", "\r\n"))));
  fc.assert(
    fc.property(stream, lengths, ([marked, lines], cut) => {
      const text = (marked ? "\uFEFF" : "") + lines.map(([words, end]) => words + end).join("");
      // What cannot be written in UTF-8 is replaced once, before both read it.
      const bytes = Buffer.from(text, "utf8");
      expect(read(bytes, cut)).toEqual(byTheBook(bytes.toString("utf8")));
    }),
    { numRuns: 2_000 },
  );
});

it("looks at each byte once, however long a line gets", () => {
  // Ten megabytes in pieces of a hundred bytes: read again for every piece, they would be half a terabyte.
  const events = read(Buffer.from(`data: ${"x".repeat(10 * 1_024 * 1_024)}\n\n`), [100]);
  expect(events.map(({ length }) => length)).toEqual([10 * 1_024 * 1_024]);
}, 60_000);
