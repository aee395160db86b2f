import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseEnv } from "@/lib/env";
import { MAX_CACHE_TTL_MS } from "@/lib/limits/schemas";
import { SEARCH_DEFINITIONS } from "@/lib/profiles/search-definitions";
import { SEED_POLICY } from "@/lib/resilience/circuit";
import { toCircuitRules, toPoolLimits } from "@/lib/servers/circuit-rules";
import { CHECK_EVERY_MS, FAILURES_TO_BE_DOWN, LOOK_AGAIN_MS } from "@/lib/servers/health/health-rules";
import { MAX_JOINT_NAME, registerServerInput } from "@/lib/servers/schemas";

/** A manual with its lines joined, so that a sentence is found wherever it breaks. */
const manual = (name: string): string => readFileSync(`docs/${name}.md`, "utf8").replaceAll(/\s+/g, " ");

const WORDS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
const word = (count: number): string => WORDS[count] ?? String(count);
const percent = (share: number): string => `${share * 100} %`;
const seconds = (ms: number): string => `${ms / 1_000} s`;
const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const successRateIn = (...zones: string[]): number =>
  toCircuitRules({
    circuit_policy: null,
    circuit_override: null,
    circuit_generation: 0,
    tenant_zones: zones,
    deadline_ms: 30_000,
  }).policy.successRate;

const registered = registerServerInput.parse({
  slug: "files",
  name: "Files",
  endpoint: { transport: "http", url: "https://example.org/mcp" },
});

describe("the manuals name the numbers that hold", () => {
  const places = toPoolLimits(null);
  const policy = SEED_POLICY;
  it.each([
    ["places", `\`maxConcurrent\` [${places.maxConcurrent.toLocaleString("en")}]`],
    ["the queue", `\`maxQueued\` [${places.maxQueued}]`],
    ["programs", `Programs of stdio servers: ${word(places.maxChildren)}, or up to`],
    ["connections", `as many as the server's pool size [${registered.poolSize}]`],
    ["the deadline", `until its answer is complete [${seconds(registered.deadlineMs)}]`],
    ["failures in a row", `| after so many failures in a row | ${policy.failureThreshold} |`],
    [
      "the success rate of every zone",
      `succeeded than | ${percent(successRateIn())} (\`sox\` ${percent(successRateIn("sox", "gdpr"))}, \`hipaa\` ${percent(successRateIn("hipaa"))}`,
    ],
    ["slow calls", `were slower than ${seconds(policy.slowMs)} | ${percent(policy.slowRate)} |`],
    ["the window", `| ${seconds(policy.windowMs)}, ${policy.minimumCalls} calls |`],
    ["the rest", `After its rest (${seconds(policy.recoveryMs)}, doubled each time a trial fails`],
    ["the longest rest", `at most ${word(policy.maxRecoveryMs / 60_000)} minutes`],
    ["how rests are spread", `spread by a ${policy.jitter === 0.1 ? "tenth" : "?"}`],
    ["trials", `at most ${word(policy.halfOpenMaxCalls)} trial calls are let through at a time`],
    ["what closes it", `${capital(word(policy.successThreshold))} successes close it`],
    ["kept answers", `with a time (up to ${MAX_CACHE_TTL_MS === 3_600_000 ? "an hour" : "?"})`],
    ["the end of a process", `(\`SHUTDOWN_GRACE_MS\` [${seconds(parseEnv({}).SHUTDOWN_GRACE_MS)}])`],
  ])("of %s, in resilience.md", (_, sentence) => {
    expect(manual("resilience")).toContain(sentence);
  });

  const [search] = SEARCH_DEFINITIONS;
  const most = search?.inputSchema.properties.limit?.maximum;
  it.each([
    ["how often health is looked at", `asked for its tools about every ${seconds(CHECK_EVERY_MS)}`],
    ["when a server is down", `${capital(word(FAILURES_TO_BE_DOWN))} failed looks in a row`],
    ["the second look", `(the second after about ${seconds(LOOK_AGAIN_MS)})`],
    ["matches of a search", `matches unless told, ${most} at most`],
    ["long names", `refuse names above ${MAX_JOINT_NAME} characters`],
  ])("of %s, in catalog.md", (_, sentence) => {
    expect(manual("catalog")).toContain(sentence);
  });
});
