import { expect, it } from "vitest";
import { isWithin, parseRanges } from "@/lib/core/address-ranges";

it("reads addresses and ranges of both kinds", () => {
  const ranges = parseRanges(" 10.1.0.0/16, 192.0.2.7,fd00:1::/32 ,, 2001:db8::7");
  for (const inside of ["10.1.2.3", "::ffff:10.1.2.3", "192.0.2.7", "fd00:1::9", "2001:db8::7"])
    expect([inside, isWithin(inside, ranges)]).toEqual([inside, true]);
  for (const outside of ["10.2.0.1", "192.0.2.8", "fd00:2::1", "2001:db8::8", "nobody", ""])
    expect([outside, isWithin(outside, ranges)]).toEqual([outside, false]);
  expect(parseRanges("")).toEqual([]);
});

it("takes a range of IPv4 however it is written", () => {
  const ranges = parseRanges("::ffff:10.1.0.0/112, ::ffff:c000:207/128");
  for (const inside of ["10.1.2.3", "::ffff:10.1.2.3", "192.0.2.7"])
    expect([inside, isWithin(inside, ranges)]).toEqual([inside, true]);
  for (const outside of ["10.2.0.1", "192.0.2.8", "::a01:203"])
    expect([outside, isWithin(outside, ranges)]).toEqual([outside, false]);
  expect(isWithin("203.0.113.9", parseRanges("::ffff:0:0/96"))).toBe(true);
});

it.each([
  "10.1",
  "::ffff:10.0.0.0/8",
  "10.1/16",
  "0x7f.1",
  "10.0.0.0/33",
  "10.0.0.0/",
  "example.org",
  "10.0.0.1-10.0.0.9",
])("takes %s for the typo that it is, and not for a rule", (text) =>
  expect(() => parseRanges(`192.0.2.7, ${text}`)).toThrow(),
);
