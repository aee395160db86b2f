import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { closeTrail, trail } from "@/lib/audit/trail";
import { newId } from "@/lib/core/ids";
import { inTenant } from "@/lib/db/in-tenant";
import { buildForTest, type TestBundle } from "@/lib/testing/bundle";
import { createTestTenant, type TestTenant } from "@/lib/testing/factories";
import { withTestDatabase } from "@/lib/testing/test-database";

withTestDatabase();

// The commands this file is about, wired as lib/cli/main.ts wires them.
const SOURCE = `
  const [command, ...rest] = process.argv.slice(2);
  const options = JSON.parse(rest[rest.length - 1]);
  const run = {
    verify: async () => (await import("@/lib/cli/audit-verify")).auditVerifyCommand(rest[0], options),
    export: async () => (await import("@/lib/cli/audit-export")).auditExportCommand(options),
    tail: async () => (await import("@/lib/cli/audit-tail")).auditTailCommand(options),
  };
  process.exitCode = await run[command]().catch((e) => { process.stderr.write(String(e.message)); return 1; });
`;

type Run = { readonly status: number; readonly out: string; readonly err: string };

let bundle: TestBundle;
let folder: string;
let tenant: TestTenant;
let file: string;
let lines: string[];

const cs = (command: string, ...args: unknown[]): Promise<Run> =>
  new Promise((resolve) => {
    const words = args.map((arg) => (typeof arg === "string" ? arg : JSON.stringify(arg)));
    execFile(process.execPath, [bundle.entry, command, ...words], (error, out, err) =>
      resolve({ status: typeof error?.code === "number" ? error.code : error === null ? 0 : -1, out, err }),
    );
  });

async function verifyText(text: string): Promise<Run> {
  const changed = join(folder, "changed.jsonl");
  await writeFile(changed, text);
  return cs("verify", changed, {});
}
const verifyLines = (changed: readonly string[]) => verifyText(`${changed.join("\n")}\n`);

const call = (tenantId: string, tool: string) => {
  const base = {
    tenantId,
    callId: newId(),
    actor: { type: "agent", id: newId(), name: "triage-bot" },
    server: "files",
    tool,
    decision: "allowed",
    requestId: newId(),
  } as const;
  return trail()
    .append({
      ...base,
      phase: "intent",
      eventType: "tool_call.started",
      outcome: "pending",
      payload: { arguments: { ssn: "078-05-1120" } },
    })
    .then(() =>
      trail().append({ ...base, phase: "outcome", eventType: "tool_call.finished", outcome: "success", latencyMs: 5 }),
    );
};

beforeAll(async () => {
  bundle = await buildForTest(SOURCE);
  folder = await mkdtemp(join(tmpdir(), "cs-export-"));
  tenant = await createTestTenant();
  for (let at = 0; at < 10; at += 1) await call(tenant.tenantId, at % 2 === 0 ? "read_file" : "write_file");
  file = join(folder, "trail.jsonl");
  expect(await cs("export", { tenant: tenant.slug, out: file })).toMatchObject({ status: 0 });
  lines = (await readFile(file, "utf8")).trimEnd().split("\n");
});
afterAll(async () => {
  await closeTrail();
  await bundle.remove();
  await rm(folder, { recursive: true, force: true });
});

const idOf = (line: string | undefined): string => JSON.parse(line ?? "{}").record.event_id;

describe("audit export and audit verify", () => {
  it("agree on what was written", async () => {
    expect(lines).toHaveLength(22);
    const run = await cs("verify", file, {});
    expect(run).toMatchObject({ status: 0, out: expect.stringContaining("VALID") });
    expect(run.out).toContain("entries  1 to 20");
  });

  it("record who exported", async () => {
    const [entry] = await inTenant(tenant.tenantId, (tx) =>
      tx.auditEntry.findMany({ where: { tenantId: tenant.tenantId, eventType: "trail.exported" } }),
    );
    expect(entry).toMatchObject({
      seq: 21n,
      actorType: "system",
      actorId: "cli",
      target: expect.stringContaining("entries 1 to 20"),
    });
  });

  it("hold no payload in the clear", async () => {
    expect(await readFile(file, "utf8")).not.toContain("078-05-1120");
  });

  it("name the entry whose byte was changed", async () => {
    const changed = lines.with(7, (lines[7] ?? "").replace('"outcome":"pending"', '"outcome":"success"'));
    expect(changed).not.toEqual(lines);
    const run = await verifyLines(changed);
    expect(run.status).toBe(1);
    expect(run.out).toContain(`line 8: entry 7 (${idOf(lines[7])})`);
  });

  it("name a removed line, swapped lines, a cut start and a cut end", async () => {
    const removed = await verifyLines(lines.toSpliced(5, 1));
    expect(removed).toMatchObject({ status: 1, out: expect.stringContaining("entry 5 is missing after entry 4") });
    const swapped = await verifyLines(lines.with(5, lines[6] ?? "").with(6, lines[5] ?? ""));
    expect(swapped).toMatchObject({
      status: 1,
      out: expect.stringContaining(`entry 5 (${idOf(lines[5])}): lines were swapped`),
    });
    expect(await verifyLines(lines.toSpliced(1, 3))).toMatchObject({
      status: 1,
      out: expect.stringContaining("entries 1 to 3 are missing at the beginning"),
    });
    expect(await verifyLines(lines.slice(4))).toMatchObject({
      status: 1,
      out: expect.stringContaining("beginning was cut"),
    });
    expect(await verifyLines(lines.slice(0, 18))).toMatchObject({
      status: 1,
      out: expect.stringContaining("entries 18 to 20"),
    });
    expect(await verifyLines(lines.toSpliced(18, 3))).toMatchObject({
      status: 1,
      out: expect.stringContaining("entries 18 to 20"),
    });
  });

  it("carry the chain across what a filter left out", async () => {
    const out = join(folder, "filtered.jsonl");
    expect(
      await cs("export", { tenant: tenant.slug, out, tool: "files__write_file", outcome: "success" }),
    ).toMatchObject({ status: 0 });
    const run = await cs("verify", out, { json: true });
    expect(run.status).toBe(0);
    expect(JSON.parse(run.out)).toMatchObject({ valid: true, entries: 5, omitted: 16, fromSeq: 1, toSeq: 21 });
    const text = await readFile(out, "utf8");
    expect(text).not.toContain("read_file");
    const digest = /"digests":\["([0-9a-f])/.exec(text)?.[1] ?? "";
    expect(
      await verifyText(text.replace(`"digests":["${digest}`, `"digests":["${digest === "0" ? "1" : "0"}`)),
    ).toMatchObject({ status: 1 });
  });

  it("start anywhere in the chain, and say so", async () => {
    const first = JSON.parse(lines[6] ?? "{}").record.ts;
    const out = join(folder, "later.jsonl");
    expect(await cs("export", { tenant: tenant.slug, out, from: first })).toMatchObject({ status: 0 });
    const run = await cs("verify", out, {});
    expect(run).toMatchObject({ status: 0, out: expect.stringContaining("entries  6 to ") });
    expect(run.out).toContain("earlier entries are not covered");
  });

  it("answer with statuses a script can rely on", async () => {
    expect((await cs("verify", join(folder, "nothing-here"), {})).status).toBe(2);
    expect(await cs("export", { tenant: "no-such-tenant", out: file })).toMatchObject({
      status: 1,
      err: expect.stringContaining("no tenant"),
    });
    expect((await cs("export", { tenant: tenant.slug, out: file, outcome: "fine" })).err).toContain("outcome");
    expect((await cs("verify", file, { expectHead: "0".repeat(64) })).status).toBe(1);
  });

  it("tail shows sentences", async () => {
    const run = await cs("tail", { tenant: tenant.slug, lines: "100", follow: false });
    expect(run.status).toBe(0);
    expect(run.out).toContain("Agent triage-bot called files__read_file and got an answer in 5 ms.");
  });
});

describe("the verifier", () => {
  it("is made of nothing but arithmetic", async () => {
    const verifier = await buildForTest(
      'import { auditVerifyCommand } from "@/lib/cli/audit-verify"; export { auditVerifyCommand };',
    );
    await verifier.remove();
    const ours = verifier.inputs.filter((path) => path.startsWith("lib/")).toSorted();
    expect(ours).toEqual([
      "lib/audit/chain.ts",
      "lib/audit/export-lines.ts",
      "lib/audit/parse-export-line.ts",
      "lib/audit/verify.ts",
      "lib/cli/audit-verify.ts",
      "lib/core/canonical-json.ts",
    ]);
  });
});
