import { readFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { closeTrail } from "@/lib/audit/trail";
import { newId } from "@/lib/core/ids";
import { resetSingleton } from "@/lib/core/singleton";
import { getGateway } from "@/lib/gateway/compose";
import { executeToolCall } from "@/lib/gateway/execute-tool-call";
import { readGatewayFigures } from "@/lib/gateway/gateway-figures";
import { serveMetrics } from "@/lib/http/serve-metrics";
import { provideGatewayFigures } from "@/lib/metrics/gateway-source";
import { startRecorder, stopRecorder } from "@/lib/metrics/recorder";
import type { TestAgent } from "@/lib/testing/factories";
import { createWorld, type World } from "@/lib/testing/gateway-world";
import { parseExposition } from "@/lib/testing/parse-exposition";
import { withTestDatabase } from "@/lib/testing/test-database";

withTestDatabase();

const TOKEN = "a-token-of-this-test-0123456789";
let world: World;
let agent: TestAgent;

beforeAll(async () => {
  world = await createWorld({ files: { tools: ["read"], map: { read: "files:read" } } });
  agent = await world.agent("files:read");
  startRecorder();
  provideGatewayFigures(readGatewayFigures);
});
afterAll(async () => {
  await closeTrail();
  await stopRecorder();
  await world.close();
});
afterEach(() => {
  vi.unstubAllEnvs();
  resetSingleton("env");
});

function withToken(token: string): void {
  vi.stubEnv("METRICS_TOKEN", token);
  resetSingleton("env");
}
const ask = (authorization?: string): Promise<Response> =>
  serveMetrics(
    new Request("http://gateway.test/api/metrics", authorization === undefined ? {} : { headers: { authorization } }),
  );

async function scrape() {
  const response = await ask(`Bearer ${TOKEN}`);
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  return parseExposition(await response.text());
}

const call = (tool: string) =>
  executeToolCall(getGateway(), {
    credential: { kind: "key", secret: agent.key },
    ref: { server: "files", tool },
    args: {},
    entrance: { requestId: newId(), door: "/api/mcp", ip: "127.0.0.1", userAgent: null },
  });

describe("who may scrape", () => {
  it("nobody where no token is set: there is no such address", async () => {
    withToken("");
    expect((await ask()).status).toBe(404);
    expect((await ask("Bearer ")).status).toBe(404);
  });

  it("who presents the token, and nobody else", async () => {
    withToken(TOKEN);
    for (const wrong of [
      undefined,
      "",
      "Bearer",
      `Bearer ${TOKEN}x`,
      `Bearer ${TOKEN.slice(1)}`,
      `Basic ${TOKEN}`,
      TOKEN,
    ]) {
      const refused = await ask(wrong);
      expect([wrong, refused.status]).toEqual([wrong, 401]);
      expect(await refused.text()).not.toContain("countersign_");
    }
    expect((await ask(`Bearer ${TOKEN}`)).status).toBe(200);
  });
});

describe("what is told", () => {
  it("counts calls as they end, by outcome and code, and how long they took", async () => {
    withToken(TOKEN);
    const before = await scrape();
    const outcomes = await Promise.all([call("read"), call("read"), call("read"), call("made_up")]);
    expect(outcomes.map(({ ok }) => ok)).toEqual([true, true, true, false]);
    const after = await scrape();
    const grown = (family: string, label?: string, value?: string, sample = family): number => {
      const [was, is] = [before, after].map((told) =>
        told.get(family)?.samples.find((s) => s.name === sample && (label === undefined || s.labels[label] === value)),
      );
      return (is?.value ?? 0) - (was?.value ?? 0);
    };
    expect(grown("countersign_calls_total", "outcome", "success")).toBe(3);
    const refused = ["failure", "denied"].map((outcome) => grown("countersign_calls_total", "outcome", outcome));
    expect(refused.reduce((sum, n) => sum + n, 0)).toBe(1);
    expect(
      grown("countersign_call_duration_seconds", undefined, undefined, "countersign_call_duration_seconds_count"),
    ).toBe(3);
    expect(
      grown("countersign_audit_append_seconds", undefined, undefined, "countersign_audit_append_seconds_count"),
    ).toBe(4);
    const circuits = after.get("countersign_circuits")?.samples.find(({ labels }) => labels["state"] === "closed");
    expect(circuits?.value).toBeGreaterThanOrEqual(1);
    expect(after.get("countersign_audit_writable")?.samples[0]?.value).toBe(1);
    expect(after.get("process_resident_memory_bytes")?.samples[0]?.value).toBeGreaterThan(10_000_000);
  });

  it("names no tenant, server, tool or caller", async () => {
    withToken(TOKEN);
    const labels = [...(await scrape()).values()].flatMap(({ samples }) =>
      samples.flatMap((s) => Object.keys(s.labels)),
    );
    expect([...new Set(labels)].sort()).toEqual(["code", "le", "outcome", "state", "version"]);
  });

  it("is what docs/metrics.md says, both ways", async () => {
    withToken(TOKEN);
    const text = readFileSync("docs/metrics.md", "utf8");
    const documented = [...text.matchAll(/^\| `([a-z_]+)` \| (counter|gauge|histogram) \|/gm)].map(([, name, type]) => [
      name,
      type,
    ]);
    const told = [...(await scrape())].map(([name, { type }]) => [name, type]);
    expect(told.sort()).toEqual(documented.sort());
  });
});
