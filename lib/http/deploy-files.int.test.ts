import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { parseDocument } from "yaml";
import { closeTrail } from "@/lib/audit/trail";
import { newId } from "@/lib/core/ids";
import { resetSingleton } from "@/lib/core/singleton";
import { getGateway } from "@/lib/gateway/compose";
import { executeToolCall } from "@/lib/gateway/execute-tool-call";
import { readGatewayFigures } from "@/lib/gateway/gateway-figures";
import { serveMetrics } from "@/lib/http/serve-metrics";
import { provideGatewayFigures } from "@/lib/metrics/gateway-source";
import { startRecorder, stopRecorder } from "@/lib/metrics/recorder";
import { createWorld, type World } from "@/lib/testing/gateway-world";
import { parseExposition } from "@/lib/testing/parse-exposition";
import { readPromql } from "@/lib/testing/read-promql";
import { withTestDatabase } from "@/lib/testing/test-database";

withTestDatabase();

const TOKEN = "a-token-of-this-test-0123456789";
let world: World;
let told: ReturnType<typeof parseExposition>;

beforeAll(async () => {
  world = await createWorld({ files: { tools: ["read"], map: { read: "files:read" } } });
  startRecorder();
  provideGatewayFigures(readGatewayFigures);
  const { key } = await world.agent("files:read");
  // One that is refused, so that there is a code.
  for (const tool of ["read", "made_up"]) {
    await executeToolCall(getGateway(), {
      credential: { kind: "key", secret: key },
      ref: { server: "files", tool },
      args: {},
      entrance: { requestId: newId(), door: "/api/mcp", ip: null, userAgent: null },
    });
  }
  vi.stubEnv("METRICS_TOKEN", TOKEN);
  resetSingleton("env");
  const headers = { authorization: `Bearer ${TOKEN}` };
  told = parseExposition(await (await serveMetrics(new Request("http://gateway.test/", { headers }))).text());
});
afterAll(async () => {
  vi.unstubAllEnvs();
  resetSingleton("env");
  await closeTrail();
  await stopRecorder();
  await world.close();
});

/** Labels that the scrape adds to each target. */
const TARGET = ["job", "instance"];

/** What a query asks for that nobody tells. */
function unknownIn(query: string): readonly string[] {
  const { selectors, grouped } = readPromql(query);
  const seen = new Set(TARGET);
  const unknown: string[] = selectors.length === 0 ? ["no name at all"] : [];
  for (const { metric, labels } of selectors) {
    const samples = [...told.values()].flatMap((family) => family.samples).filter(({ name }) => name === metric);
    // Prometheus itself says of each target whether it is up.
    if (samples.length === 0 && metric !== "up") unknown.push(metric);
    for (const sample of samples) for (const label of Object.keys(sample.labels)) seen.add(label);
    for (const [label, pattern] of Object.entries(labels)) {
      if (TARGET.includes(label)) continue;
      const values = new Set(samples.map((sample) => sample.labels[label]));
      for (const value of pattern.split("|")) if (!values.has(value)) unknown.push(`${metric}{${label}="${value}"}`);
    }
  }
  return [...unknown, ...grouped.filter((label) => !seen.has(label)).map((label) => `by ${label}`)];
}

type Panel = { title: string; type: string; targets?: { expr: string; legendFormat: string }[] };

describe("the dashboard", () => {
  const text = readFileSync("deploy/grafana/countersign.json", "utf8");
  const { panels } = JSON.parse(text) as { panels: Panel[] };
  const queries = panels.flatMap(({ targets = [] }) => targets);

  it("asks for nothing that is not told", () => {
    expect(queries.length).toBeGreaterThan(30);
    for (const { expr } of queries) expect([expr, unknownIn(expr)]).toEqual([expr, []]);
  });

  it("names each line by a label that the query keeps", () => {
    for (const { expr, legendFormat } of queries) {
      const labels = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label);
      expect([expr, labels.filter((label) => !readPromql(expr).grouped.includes(label ?? ""))]).toEqual([expr, []]);
    }
  });
});

describe("the files for Prometheus and the collector", () => {
  const read = (path: string): unknown => {
    const document = parseDocument(readFileSync(path, "utf8"));
    expect([...document.errors, ...document.warnings]).toEqual([]);
    return document.toJS();
  };

  it("warn of nothing that is not told, and say it in a sentence", () => {
    const { groups } = read("deploy/prometheus/alerts.yml") as {
      groups: {
        rules: { alert: string; expr: string; labels: { severity: string }; annotations: { summary: string } }[];
      }[];
    };
    const rules = groups.flatMap((group) => group.rules);
    expect(rules.length).toBeGreaterThan(10);
    for (const { alert, expr, labels, annotations } of rules) {
      expect([alert, unknownIn(expr)]).toEqual([alert, []]);
      expect(["info", "warning", "critical"]).toContain(labels.severity);
      expect(annotations.summary).toMatch(/\.$/);
    }
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  });

  it("scrape where the figures are, and take what we send", () => {
    expect(read("deploy/prometheus/prometheus.yml")).toMatchObject({
      rule_files: ["alerts.yml"],
      scrape_configs: [{ job_name: "countersign", metrics_path: "/api/metrics", authorization: { type: "Bearer" } }],
    });
    const collector = read("deploy/otel-collector/config.yml") as Record<string, Record<string, unknown>>;
    const { pipelines } = collector["service"] as { pipelines: Record<string, Record<string, string[]>> };
    for (const [kind, parts] of Object.entries(pipelines)) {
      for (const [part, names] of Object.entries(parts))
        for (const name of names) expect([kind, name, name in (collector[part] ?? {})]).toEqual([kind, name, true]);
    }
  });
});

describe("the check itself", () => {
  it.each([
    ["a name that nobody tells", "sum(rate(countersign_made_up_total[5m]))"],
    ["a label that the name has not", 'countersign_audit_writable{server="files"}'],
    ["a value that the label never has", 'countersign_calls_total{outcome="fine"}'],
    ["a group by a label that is not there", "sum by (tenant) (countersign_calls_total)"],
    ["no name", "vector(1)"],
  ])("finds %s", (_, query) => {
    expect(unknownIn(query)).not.toEqual([]);
  });

  it("does not read what is no query", () => {
    expect(() => readPromql("sum(rate(x[5m])")).toThrow();
  });
});
