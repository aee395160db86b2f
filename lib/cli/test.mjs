// `npm test`: everything, from a fresh clone. The last line reads "N passed, N failed".
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { bin, build, generate, install, requireNode, root, run, StepFailed } from "./steps.mjs";

const flags = new Set(process.argv.slice(2).filter((word) => word.startsWith("--")));
const only = process.argv.includes("--only") ? process.argv[process.argv.indexOf("--only") + 1] : null;
const ci = process.env.CI === "true";
const reports = join(root, ".build/reports");
const tally = { passed: 0, failed: 0, skipped: 0 };
const failures = [];

const reachable = (port) =>
  new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port, timeout: 1000 });
    const end = (answer) => {
      socket.destroy();
      resolve(answer);
    };
    socket
      .on("connect", () => end(true))
      .on("error", () => end(false))
      .on("timeout", () => end(false));
  });

const say = (text) => process.stdout.write(`${text}\n`);

/** Counts a leg that either holds or does not. */
async function check(name, command, args, options = {}) {
  const startedAt = Date.now();
  try {
    await run(command, args, { quiet: true, ...options });
    tally.passed += 1;
    say(`${name} … ok (${((Date.now() - startedAt) / 1000).toFixed(1)} s)`);
  } catch (error) {
    tally.failed += 1;
    failures.push(name);
    say(`${name} … FAILED`);
    say(error.output ?? error.stack);
  }
}

/** Counts every test of a vitest run from its JSON report. A quiet one shows what it printed only if it fails. */
async function vitest(name, args, { env = {}, quiet = false } = {}) {
  const file = join(reports, `${name.replaceAll(/\W+/g, "-")}.json`);
  rmSync(file, { force: true });
  say(`\n${name}${quiet ? " …" : ""}`);
  const failed = await run(
    bin("vitest"),
    ["run", "--reporter=dot", "--reporter=json", `--outputFile.json=${file}`, ...args],
    { env, quiet },
  ).then(
    () => null,
    (error) => error,
  );
  if (failed?.output) say(failed.output);
  const report = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : null;
  const failedTests = report?.numFailedTests ?? 0;
  tally.passed += report?.numPassedTests ?? 0;
  tally.skipped += (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0);
  // A suite that cannot even be loaded has no failed tests, and is a failure all the same.
  tally.failed += failed ? Math.max(failedTests, 1) : 0;
  if (failed) failures.push(name);
  say(`${name}: ${report?.numPassedTests ?? 0} passed, ${failed ? Math.max(failedTests, 1) : 0} failed`);
}

/** Counts every browser test of a Playwright run. */
async function playwright(name, args) {
  const file = join(reports, "e2e.json");
  rmSync(file, { force: true });
  say(`\n${name}`);
  const failed = await run(bin("playwright"), ["test", "-c", "e2e/playwright.config.ts", ...args], {
    env: { PLAYWRIGHT_JSON_OUTPUT_NAME: file },
  }).then(
    () => null,
    (error) => error,
  );
  const stats = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).stats : null;
  const bad = stats?.unexpected ?? 0;
  tally.passed += (stats?.expected ?? 0) + (stats?.flaky ?? 0);
  tally.skipped += stats?.skipped ?? 0;
  tally.failed += failed ? Math.max(bad, 1) : 0;
  if (failed) failures.push(name);
}

const house = async () => {
  await check("format and lint (biome)", bin("biome"), ["ci", "--max-diagnostics=50", "."]);
  await check("types (tsc)", bin("tsc"), ["--noEmit"]);
  await check("typed lint (eslint)", bin("eslint"), [
    "--cache",
    "--cache-location",
    ".build/eslint/",
    "--max-warnings=0",
    ".",
  ]);
  await check("boundaries (dependency-cruiser)", bin("depcruise"), [
    "--config",
    ".dependency-cruiser.cjs",
    "app",
    "components",
    "lib",
    "server.ts",
  ]);
  await check("dead code (knip)", bin("knip"), ["--no-progress"]);
};

/** Half of the time they wait, so they are not kept to the cores that are left over, as vitest would. */
const unit = (options) =>
  vitest("unit", ["--project", "unit", `--maxWorkers=${Math.max(2, availableParallelism())}`], options);

/** Beside each other. What the tests print is shown only if they fail, so that lines stay whole. */
const inner = () => Promise.all([unit({ quiet: true }), house()]);

/** Starts servers of its own whatever database the leg uses, so once is enough. */
const EMBEDDED_ONLY = "lib/db/embedded.int.test.ts";
/** Long ones about what passes between clients, processes and servers, the same whatever the database: once, where there are two. */
const ONCE = [
  "lib/gateway/held-calls/elsewhere.int.test.ts",
  "lib/db/silence.int.test.ts",
  "lib/gateway/faults.int.test.ts",
  "lib/mcp/door/conformance.int.test.ts",
  "lib/mcp/door/listen.int.test.ts",
];

/** A leg that needs something this machine may not have: said plainly, and a failure where CI promised it. */
function missing(name, what) {
  if (ci) {
    tally.failed += 1;
    failures.push(name);
    say(`\n${name}: FAILED, ${what} (CI must provide it)`);
    return;
  }
  tally.skipped += 1;
  say(`\n${name}: SKIPPED, ${what}`);
}

/** Both legs spend half of their time waiting for time-outs that they test, so they run beside each other. */
async function integration() {
  const redis = (await reachable(6379)) ? "redis://127.0.0.1:6379" : "";
  const leg = (name, url, { excluded = [], ...more } = {}) =>
    // Each has its own part of Redis, as two installations would.
    vitest(name, ["--project", "int", ...excluded.flatMap((file) => ["--exclude", file])], {
      env: { CS_TEST_DATABASE_URL: url, CS_TEST_REDIS_URL: redis, REDIS_PREFIX: `test-${url ? "server" : "embedded"}` },
      ...more,
    });
  const server = (await reachable(5432))
    ? leg(
        "integration on PostgreSQL at 127.0.0.1:5432",
        process.env.CS_TEST_DATABASE_URL ?? "postgres://postgres@127.0.0.1:5432/postgres",
        { quiet: true, excluded: [EMBEDDED_ONLY] },
      )
    : null;
  await leg("integration on the embedded PostgreSQL", "", { excluded: server === null ? [] : ONCE });
  if (server === null) missing("integration on PostgreSQL", "nothing answers at 127.0.0.1:5432");
  await server;
  if (!redis) missing("integration on Redis", "nothing answers at 127.0.0.1:6379");
}

/** Debian's Chromium: the one that a test tool would download is not to be had everywhere. */
async function ensureChromium() {
  const path = process.env.CHROMIUM_PATH ?? "/usr/bin/chromium";
  if (existsSync(path)) return;
  say("Chromium is missing: installing Debian's package …");
  try {
    await run("apt-get", ["install", "-y", "-q", "chromium"], { quiet: true }).catch(async () => {
      await run("apt-get", ["update", "-q"], { quiet: true });
      await run("apt-get", ["install", "-y", "-q", "chromium"], { quiet: true });
    });
  } catch (error) {
    throw new StepFailed(
      `The browser journeys need Chromium at ${path}, and it could not be installed here: ${error.message}. Set CHROMIUM_PATH to a Chromium of yours.`,
    );
  }
}

async function browser() {
  await build();
  try {
    await ensureChromium();
  } catch (error) {
    tally.failed += 1;
    failures.push("browser journeys");
    say(error.message);
    return;
  }
  await playwright("browser journeys (Chromium)", []);
}

async function long() {
  await vitest("long suites on the embedded PostgreSQL", ["--project", "long"]);
}

function conclude() {
  if (failures.length > 0) say(`\nFailed: ${failures.join("; ")}`);
  if (tally.skipped > 0) say(`${tally.skipped} skipped`);
  say(`\n${tally.passed} passed, ${tally.failed} failed`);
  process.exit(tally.failed === 0 ? 0 : 1);
}

const LEGS = { house, unit, int: integration, e2e: browser, long };

try {
  requireNode();
  await install();
  await generate();
  mkdirSync(reports, { recursive: true });
  if (only) await LEGS[only]();
  else if (flags.has("--verify")) {
    await inner();
  } else if (flags.has("--long")) {
    await build();
    await long();
  } else {
    await inner();
    await build();
    await integration();
    await browser();
  }
} catch (error) {
  tally.failed += 1;
  failures.push(error.message);
  if (!(error instanceof StepFailed)) say(error.stack);
}
conclude();
