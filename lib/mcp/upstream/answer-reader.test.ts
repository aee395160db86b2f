import { describe, expect, it } from "vitest";
import { AnswerReader, type Headers } from "@/lib/mcp/upstream/answer-reader";
import { MAX_ANSWER_BYTES } from "@/lib/mcp/upstream/protocol";

const JSON_TYPE = { "content-type": "application/json" };
const EVENTS = { "content-type": "text/event-stream" };

function begin(headers: Headers) {
  const faults: string[] = [];
  const events: string[] = [];
  const reader = new AnswerReader({
    onEvent: (data) => events.push(data),
    onLargeEvent: (data) => events.push(data.toString()),
    onFault: ({ message }) => faults.push(message),
  });
  reader.begin(200, headers);
  const take = (text: string, times = 1) => {
    for (let nth = 0; nth < times; nth += 1) reader.take(Buffer.from(text));
  };
  return { reader, faults, events, take, body: () => reader.body()?.toString() ?? null };
}

describe("what an answer may cost", () => {
  it("is 20,000 pieces", () => {
    const { take, faults } = begin(JSON_TYPE);
    take("x", 20_000);
    expect(faults).toEqual([]);
    take("x");
    expect(faults[0]).toContain("too many pieces");
  });

  it("is so many bytes, as they come and as they are announced", () => {
    const { reader, faults } = begin(JSON_TYPE);
    const half = Buffer.alloc(MAX_ANSWER_BYTES / 2);
    reader.take(half);
    reader.take(half);
    expect(faults).toEqual([]);
    reader.take(Buffer.alloc(1));
    reader.take(Buffer.alloc(1));
    expect(faults).toEqual([expect.stringContaining("larger than")]);
    expect(begin({ "content-length": String(MAX_ANSWER_BYTES + 1) }).faults[0]).toContain("larger than");
  });

  it("is 10,000 events and 40,000 lines", () => {
    const many = begin(EVENTS);
    many.take("data: x\n\n".repeat(10_000));
    expect(many.faults).toEqual([]);
    many.take("data: x\n\n");
    expect(many.faults[0]).toContain("too many events");
    const empty = begin(EVENTS);
    empty.take(": nothing\n".repeat(40_000));
    expect(empty.faults).toEqual([]);
    empty.take(": nothing\n");
    expect(empty.faults[0]).toContain("too many lines");
    // An error for each of the others would cost far more than reading them.
    const comments = begin(EVENTS);
    comments.take(": nothing\n".repeat(45_000));
    comments.take(": nothing\n".repeat(5_000));
    expect(comments.faults).toHaveLength(1);
    const flood = begin(EVENTS);
    flood.take("data: x\n\n".repeat(15_000));
    expect([flood.faults.length, flood.events.length]).toEqual([1, 10_000]);
  });

  it("is 100 hints ahead of it", () => {
    const { reader, faults } = begin(JSON_TYPE);
    for (let nth = 0; nth < 100; nth += 1) reader.begin(103, {});
    expect(faults).toEqual([]);
    reader.begin(103, {});
    expect(faults[0]).toContain("too many hints");
    expect(reader.status).toBe(200);
  });

  it("is no packing", () => {
    expect(begin({ "content-encoding": "gzip" }).faults[0]).toContain("packed (gzip)");
    expect(begin({ "content-encoding": "identity" }).faults).toEqual([]);
  });
});

it("puts a body together from however many pieces it came in", () => {
  const single = begin(JSON_TYPE);
  single.take("whole");
  expect(single.body()).toBe("whole");
  const several = begin(JSON_TYPE);
  for (const piece of ["a", "bc", "def"]) several.take(piece);
  expect(several.body()).toBe("abcdef");
  const none = begin(JSON_TYPE);
  expect(none.body()).toBeNull();
  none.take("");
  expect(none.body()).toBeNull();
});

it("hands on events instead of a body", () => {
  const { take, events, body } = begin(EVENTS);
  take("data: on");
  take("e\n\ndata: two\n\n");
  expect(events).toEqual(["one", "two"]);
  expect(body()).toBeNull();
});
