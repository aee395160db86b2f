import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { transformSync } from "esbuild";
import { afterAll, describe, it } from "vitest";
import { appRoot } from "@/lib/db/app-root";

/** Flags of V8 are a process's own, so each case is a process. */
const folder = mkdtempSync(join(tmpdir(), "cs-heap-"));
afterAll(() => rmSync(folder, { recursive: true }));

const script = join(folder, "script.mjs");
const code = readFileSync(join(appRoot(), "lib/core/fit-heap.ts"), "utf8");
writeFileSync(join(folder, "fit-heap.mjs"), transformSync(code, { loader: "ts", format: "esm" }).code);
writeFileSync(
  script,
  `
import { getHeapSpaceStatistics } from "node:v8";
import { fitHeap } from "./fit-heap.mjs";
const LOOK_MS = 10;
const young = () => getHeapSpaceStatistics().find((space) => space.space_name === "new_space").space_size / 2 ** 21;
const kept = new Array(20_000);
let made = 0;
/** What lives a little while, as calls do, with time for the looks between. */
async function allocate(ms) {
  for (const until = Date.now() + ms; Date.now() < until; await new Promise((go) => setTimeout(go, 1))) {
    for (let n = 0; n < 5_000; n += 1) kept[made++ % kept.length] = { made, more: [made, made], text: "n" + made };
  }
}
/** Large objects, which make V8 collect the old generation by itself, when it finds the time. */
async function makeCollectionsNeeded(ms) {
  for (const until = Date.now() + ms; Date.now() < until && young() >= 16; await new Promise((go) => setTimeout(go, 1))) {
    kept[made++ % 100] = new Array(50_000).fill(made);
  }
}
let calls = 0;
const [fits, ...rows] = JSON.parse(process.argv[2]);
if (fits) fitHeap(() => calls, LOOK_MS);
const seen = [];
for (const row of rows) {
  calls = row;
  if (row === 0) await makeCollectionsNeeded(15_000);
  else await allocate(1_500);
  seen.push(young());
}
process.stdout.write(JSON.stringify(seen));
`,
);

/** Megabytes of the young generation after a while with each number of calls under way. */
async function youngAfter(fits: boolean, ...calls: number[]): Promise<number[]> {
  const args = ["--max-semi-space-size=64", script, JSON.stringify([fits, ...calls])];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as number[];
}

describe.concurrent("the young generation", () => {
  it("stays small while few calls are under way, however much is allocated in time", async ({ expect }) => {
    const [few] = await youngAfter(true, 3);
    expect(few).toBeLessThanOrEqual(4);
  });

  it("would take all it may without being fitted", async ({ expect }) => {
    const [few] = await youngAfter(false, 3);
    expect(few).toBeGreaterThanOrEqual(16);
  });

  it("grows when many are", async ({ expect }) => {
    const [few, many] = await youngAfter(true, 3, 500);
    expect(few).toBeLessThanOrEqual(4);
    expect(many).toBeGreaterThanOrEqual(16);
  });

  it("is given back when they are over", { timeout: 30_000 }, async ({ expect }) => {
    const [many, after] = await youngAfter(true, 500, 0);
    expect(many).toBeGreaterThanOrEqual(16);
    expect(after).toBeLessThan(16);
  });
});
