import fc from "fast-check";
import { expect, it } from "vitest";
import { slug } from "@/lib/core/wire";
import { slugFrom } from "./slug-from";

it("makes a slug or nothing of any name", () => {
  expect(slugFrom("Triage Bot")).toBe("triage-bot");
  expect(slugFrom("  Ärzte & Söhne 2 ")).toBe("arzte-sohne-2");
  expect(slugFrom("123")).toBe("");
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 60 }), (name) => {
      const made = slugFrom(name);
      expect(made === "" || slug.safeParse(made).success).toBe(true);
    }),
  );
});
