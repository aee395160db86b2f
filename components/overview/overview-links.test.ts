import { describe, expect, it } from "vitest";
import { bucketHref, trailHref } from "@/components/overview/overview-links";

const asked = (href: string | null) => Object.fromEntries(new URL(href ?? "", "http://x").searchParams);

describe("where the overview leads", () => {
  it("keeps a relative window relative, and bounds as they are", () => {
    expect(asked(trailHref("clinic", "1h", { server: "files" }))).toEqual({ range: "1h", server: "files" });
    const bounds = { from: "2026-11-20T10:00:00Z", to: "2026-11-20T11:00:00Z" };
    expect(asked(trailHref("clinic", bounds, {}))).toEqual(bounds);
  });
  it("leads from a bucket to its calls, from a layer to those of its outcome", () => {
    const point = { at: "2026-11-20T10:00:00Z", samples: 3, values: {} };
    const bounds = { from: "2026-11-20T10:00:00.000Z", to: "2026-11-20T10:05:00.000Z", phase: "outcome" };
    const calls = bucketHref("clinic", 300_000);
    expect(asked(calls(point, null))).toEqual(bounds);
    expect(asked(calls(point, "denied"))).toEqual({ ...bounds, outcome: "denied" });
    expect(calls(point, "p95")).toBeNull();
    expect(asked(bucketHref("clinic", 300_000, "failure")(point, null))).toEqual({ ...bounds, outcome: "failure" });
  });
});
