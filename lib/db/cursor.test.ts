import fc from "fast-check";
import { expect, it } from "vitest";
import { z } from "zod";
import { decodeCursor, encodeCursor } from "@/lib/db/cursor";

const key = z.tuple([z.string(), z.number()]);

it("gives back what it took", () => {
  fc.assert(
    fc.property(fc.string(), fc.integer(), (text, n) => {
      expect(decodeCursor(encodeCursor([text, n]), key)).toEqual([text, n]);
    }),
  );
});

it("refuses everything else as the caller's mistake", () => {
  const foreign = [encodeCursor(["only one"]), encodeCursor([1, "swapped"]), "%%%", "bnVsbA", ""];
  for (const text of foreign) {
    expect(() => decodeCursor(text, key)).toThrow(expect.objectContaining({ code: "invalid_input" }));
  }
});
