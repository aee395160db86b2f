import fc from "fast-check";
import { expect, it } from "vitest";
import { makeSseReader } from "@/lib/mcp/upstream/sse-reader";

/** What a reader makes of a stream that arrives in pieces of these lengths, the last one repeated. */
function read(stream: Buffer, lengths: readonly number[]): { events: [string, string][]; held: number; lines: number } {
  const events: [string, string][] = [];
  let lines = 0;
  const reader = makeSseReader({
    onEvent: (data, type) => events.push([type, data]),
    onLine: () => {
      lines += 1;
    },
    onId: (id) => events.push(["#id", id]),
    onRetry: (ms) => events.push(["#retry", String(ms)]),
  });
  for (let from = 0, turn = 0; from < stream.length; turn += 1) {
    const length = lengths[turn % lengths.length] ?? 1;
    reader.read(stream.subarray(from, from + length));
    from += length;
  }
  return { events, held: reader.held(), lines };
}

const line = fc.oneof(
  fc.constantFrom(
    "",
    "",
    "data",
    "data:",
    "data: ",
    ": still here",
    "id: 7",
    "datax: no",
    "\uFEFFdata: late",
    "dat",
    ":",
  ),
  fc.constantFrom(
    "id",
    "id:",
    "id:one",
    "id: two",
    "idx: no",
    "retry: 12",
    "retry: 07",
    "retry",
    "retry: -1",
    "retry: 1e3",
  ),
  fc.constantFrom("event", "event:", "event: ", "event: endpoint", "event:late", "events: no", "eve"),
  fc.string({ unit: "binary" }).map((text) => `data: ${text.replace(/[\r\n]/g, "")}`),
);

/** The standard, word by word, on the whole text at once. */
function byTheBook(text: string): [string, string][] {
  const events: [string, string][] = [];
  let data: string[] = [];
  let type = "";
  let id: string | null = null;
  for (const each of text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .slice(0, -1)) {
    if (each === "") {
      if (id !== null) events.push(["#id", id]);
      id = null;
      if (data.length > 0) events.push([type === "" ? "message" : type, data.join("\n")]);
      data = [];
      type = "";
    } else {
      const [, field, value] = /^([^:]*)(?::\u0020?([\s\S]*))?$/.exec(each) ?? [];
      if (field === "data") data.push(value ?? "");
      if (field === "event") type = value ?? "";
      if (field === "id") id = value ?? "";
      if (field === "retry" && /^\d+$/.test(value ?? "")) events.push(["#retry", String(Number(value))]);
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
      const seen = read(bytes, cut);
      expect(seen.events).toEqual(byTheBook(bytes.toString("utf8")));
      expect(seen.lines).toBe(lines.length);
    }),
    { numRuns: 2_000 },
  );
});

it("looks at each byte once, however long a line gets", () => {
  // Ten megabytes in pieces of a hundred bytes: read again for every piece, they would be half a terabyte.
  const { events } = read(Buffer.from(`data: ${"x".repeat(10 * 1_024 * 1_024)}\n\n`), [100]);
  expect(events.map(([, { length }]) => length)).toEqual([10 * 1_024 * 1_024]);
}, 60_000);

it("tells what it keeps of an event until that is complete", () => {
  expect(read(Buffer.from(": hm\n\nevent: late\n\n"), [7]).held).toBe(0);
  expect(read(Buffer.from("data: four\ndata: 12"), [3]).held).toBe("four\n".length + "data: 12".length);
  expect(read(Buffer.from("data: four\ndata: 12\n\n"), [3]).held).toBe(0);
});
