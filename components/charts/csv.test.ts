import { describe, expect, it } from "vitest";
import { csvName, pointsToCsv, toCsv } from "@/components/charts/csv";
import { farWords, isWithinReach } from "@/components/charts/threshold";

const series = [{ key: "p95", label: "P95", color: "red" }];

describe("figures as CSV", () => {
  it("gives times in ISO 8601 UTC, numbers as they are, and nothing where nothing was measured", () => {
    const points = [
      { at: "2026-11-20T14:00:00Z", samples: 3, values: { p95: 12.3456 } },
      { at: "2026-11-20T14:01:00.000Z", samples: 0, values: { p95: null } },
    ];
    expect(pointsToCsv(series, points, "ms")).toBe(
      "from,P95 (ms),samples\r\n2026-11-20T14:00:00.000Z,12.3456,3\r\n2026-11-20T14:01:00.000Z,,0\r\n",
    );
  });
  it("never lets a spreadsheet run a cell, and leaves negative numbers numbers", () => {
    const cells = [
      "=1+1",
      "+x",
      "-x",
      "@x",
      "\tx",
      "\n=x",
      "＝1",
      "＋x",
      "－x",
      "＠x",
      "plain",
      -5,
      'say "no", then\nstop',
    ];
    expect(toCsv([cells])).toBe(
      `'=1+1,'+x,'-x,'@x,'\tx,"'\n=x",'＝1,'＋x,'－x,'＠x,plain,-5,"say ""no"", then\nstop"\r\n`,
    );
  });
  it("names the file after whose figures they are and which time they are of", () => {
    const [from, to] = [Date.parse("2026-11-20T14:00:00Z"), Date.parse("2026-11-20T15:30:00Z")];
    expect(csvName(["files", "Where the time went"], from, to)).toBe(
      "files-where-the-time-went-20261120T1400Z-20261120T1530Z.csv",
    );
  });
});

describe("a limit", () => {
  const at = (p95: number | null) => [{ at: "2026-11-20T14:00:00Z", samples: 1, values: { p95 } }];
  const limit = { at: 5000, label: "P95 limit 5 s" };
  it("is drawn once the values come near, and said until then", () => {
    expect([40, 2_499, 2_500, 9_000].map((value) => isWithinReach(limit, series, at(value)))).toEqual([
      false,
      false,
      true,
      true,
    ]);
    expect(farWords(limit, series, at(40))).toBe("P95 limit 5 s, above this scale");
    expect(farWords(limit, series, at(9_000))).toBeNull();
    expect(isWithinReach({ ...limit, always: true }, series, at(null))).toBe(true);
  });
});
