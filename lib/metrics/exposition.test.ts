import { describe, expect, it } from "vitest";
import { exposition, type Family } from "@/lib/metrics/exposition";
import { parseExposition } from "@/lib/testing/parse-exposition";

const histogram = { boundsMs: [5, 100], counts: [2, 3, 1], sumMs: 1_250 };
const FAMILIES: readonly Family[] = [
  { name: "calls_total", help: "Calls.", type: "counter", samples: [{ labels: { outcome: "success" }, value: 6 }] },
  {
    name: "strange",
    help: 'Back\\slash\nand "quotes".',
    type: "gauge",
    samples: [{ labels: { a: 'x"\\\n', b: "ü" }, value: -0.5 }],
  },
  {
    name: "tiny",
    help: "Small and not there.",
    type: "gauge",
    samples: [{ value: 1e-9 }, { labels: { of: "x" }, value: Number.NaN }],
  },
  { name: "took_seconds", help: "Time.", type: "histogram", histogram },
];

describe("the text for Prometheus", () => {
  it("is read back as it was meant, whatever stands in a label", () => {
    const parsed = parseExposition(exposition(FAMILIES));
    expect(parsed.get("calls_total")?.samples).toEqual([
      { name: "calls_total", labels: { outcome: "success" }, value: 6 },
    ]);
    expect(parsed.get("strange")?.samples[0]).toMatchObject({ labels: { a: 'x"\\\n', b: "ü" }, value: -0.5 });
    expect(parsed.get("took_seconds")?.samples.map(({ labels, value }) => [labels["le"], value])).toEqual([
      ["0.005", 2],
      ["0.1", 5],
      ["+Inf", 6],
      [undefined, 1.25],
      [undefined, 6],
    ]);
  });
});

describe("the parser", () => {
  const good = "# HELP a_total A.\n# TYPE a_total counter\na_total 1\n";
  it.each([
    ["no end of the last line", good.slice(0, -1)],
    ["no help", good.replace(/# HELP.*\n/, "")],
    ["no type", good.replace(/# TYPE.*\n/, "")],
    ["an unknown type", good.replace("counter", "number")],
    ["a series twice", `${good}a_total 1\n`],
    ["a family twice", good + good],
    ["a sample of another family", `${good}b 1\n`],
    ["a quote that is not escaped", good.replace("a_total 1", 'a_total{x="a"b"} 1')],
    ["a label twice", good.replace("a_total 1", 'a_total{x="a",x="b"} 1')],
    ["no number", good.replace("a_total 1", "a_total one")],
    ["a negative counter", good.replace("a_total 1", "a_total -1")],
    ["a counter without its ending", good.replaceAll("a_total", "a")],
    ["a gauge that ends like a counter", good.replace("counter", "gauge")],
    ["an empty line", `${good}\n`],
    ["a histogram that falls", histogramText([3, 2], 2)],
    ["a histogram whose count is another", histogramText([1, 2], 3)],
  ])("refuses %s", (_, text) => {
    expect(() => parseExposition(text)).toThrow();
  });

  it("takes what is in order", () => {
    expect(parseExposition(good).size).toBe(1);
    expect(parseExposition(histogramText([1, 2], 2)).size).toBe(1);
  });
});

function histogramText([low, all]: readonly [number, number], count: number): string {
  return `# HELP h H.\n# TYPE h histogram\nh_bucket{le="1"} ${low}\nh_bucket{le="+Inf"} ${all}\nh_sum 1\nh_count ${count}\n`;
}
