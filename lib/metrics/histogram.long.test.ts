import { expect, it } from "vitest";
import { measureSpread, SPREADS, worstError } from "@/lib/testing/durations";

it.each(Object.keys(SPREADS))("the percentiles of 1,000,000 durations, %s, are within one percent", (name) => {
  const { whole, merged, hours } = measureSpread(name, 1_000_000);
  expect(merged.histogram).toEqual(whole.histogram);
  for (const measured of [whole, merged, ...hours]) expect(worstError(measured)).toBeLessThanOrEqual(0.01);
});
