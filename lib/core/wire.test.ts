import { expect, it } from "vitest";
import { isoTime } from "@/lib/core/wire";

it.each(["2026-11-29T15:00:00Z", "2026-11-29T15:00:00.123456+14:00", "0001-01-01T00:00:00-15:59"])(
  "takes the time %s",
  (text) => expect(isoTime.safeParse(text).success).toBe(true),
);

it.each(["0000-01-01T00:00:00Z", "2026-11-29T15:00:00+16:00", "2026-11-29T15:00:00-23:59", "2026-11-29 15:00", "soon"])(
  "refuses %s, which the database would not take",
  (text) => expect(isoTime.safeParse(text).success).toBe(false),
);
