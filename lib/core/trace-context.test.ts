import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseTrace, traceMembers } from "@/lib/core/trace-context";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";
const PARENT = `00-${TRACE}-${SPAN}-01`;

describe("what is read", () => {
  it("is a trace, a span and whether it is recorded", () => {
    expect(parseTrace(PARENT, "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE")).toEqual({
      traceId: TRACE,
      spanId: SPAN,
      flags: 1,
      state: "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE",
    });
    expect(parseTrace(`00-${TRACE}-${SPAN}-00`, undefined)).toMatchObject({ flags: 0, state: null });
  });

  it("is of a later version as far as this one knows it", () => {
    expect(parseTrace(`cc-${TRACE}-${SPAN}-ff-what-comes-later`, null)).toMatchObject({ traceId: TRACE, flags: 3 });
  });

  it.each([
    ["nothing", undefined],
    ["no text", 7],
    ["an empty text", ""],
    ["two of them", `${PARENT}, ${PARENT}`],
    ["the version that is none", `ff-${TRACE}-${SPAN}-01`],
    ["more than the first version says", `${PARENT}-more`],
    ["no trace", `00-${"0".repeat(32)}-${SPAN}-01`],
    ["no span", `00-${TRACE}-${"0".repeat(16)}-01`],
    ["capital letters", PARENT.toUpperCase()],
    ["a trace that is too short", `00-${TRACE.slice(1)}-${SPAN}-01`],
    ["a space before it", ` ${PARENT}`],
    ["a line after it", `${PARENT}\r\nx: y`],
    ["flags that are no number", `00-${TRACE}-${SPAN}-0g`],
  ])("is not %s", (_, given) => {
    expect(parseTrace(given, null)).toBeNull();
  });

  it.each([
    ["a line break", "a=b\r\nx: y"],
    ["a line break at its end", "a=b\r\n"],
    ["a line break before a comma", "a=b\n,c=d"],
    ["nothing but spaces before what is none", `${" ".repeat(511)}x`],
    ["no value", "a="],
    ["no key", "=b"],
    ["a key in capitals", "A=b"],
    ["more than the bound", `a=${"b".repeat(255)},c=${"d".repeat(255)}`],
    ["too many members", Array.from({ length: 33 }, (_, at) => `k${at}=v`).join(",")],
    ["what is no ASCII", "a=ü"],
  ])("leaves a vendors' part with %s behind, and the trace goes on", (_, state) => {
    expect(parseTrace(PARENT, state)).toMatchObject({ traceId: TRACE, state: null });
  });

  it("is never anything that could end a header, and is told as it was read", () => {
    // Any bytes a header could hold, line breaks among them.
    const bytes = fc.uint8Array({ maxLength: 80 }).map((each) => Buffer.from(each).toString("latin1"));
    const parents = fc.oneof(fc.constant(PARENT), bytes);
    const states = fc.oneof(fc.constant("a=b,c@d=e f"), bytes);
    fc.assert(
      fc.property(parents, states, (parent, state) => {
        const read = parseTrace(parent, state);
        if (read === null) return;
        const told = traceMembers(read);
        for (const value of Object.values(told)) expect(value).toMatch(/^[\x20-\x7e\t]+$/);
        expect(parseTrace(told["traceparent"], told["tracestate"])).toEqual(read);
      }),
    );
  });
});
