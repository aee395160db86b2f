import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, it, vi } from "vitest";
import { genesisTip, sha256 } from "@/lib/audit/chain";
import {
  EXPORT_END_TYPE,
  EXPORT_TYPE,
  EXPORT_VERSION,
  endLine,
  entryLine,
  manifestLine,
} from "@/lib/audit/export-lines";
import { auditVerifyCommand } from "@/lib/cli/audit-verify";

const folder = mkdtempSync(join(tmpdir(), "countersign-verify-"));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => vi.restoreAllMocks());

const TENANT = "0193c5a0-0000-7000-8000-000000000001";
const GENESIS = Buffer.from(genesisTip(TENANT).hash).toString("hex");
/** Goes up a line, clears it, and says what a file would like to hear. */
const FORGED = "x\u001b[1A\u001b[2K\rVALID  trail.jsonl\n\u009b8m\u202e";

async function verdictOn(lines: readonly string[]): Promise<{ status: number; out: string }> {
  const file = join(folder, "made-up.jsonl");
  writeFileSync(file, lines.map((line) => `${line}\n`).join(""));
  let out = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    out += String(text);
    return true;
  });
  const status = await auditVerifyCommand(file);
  vi.restoreAllMocks();
  return { status, out };
}

const first = (toSeq: number, slug: string, filter = {}) =>
  manifestLine({
    type: EXPORT_TYPE,
    version: EXPORT_VERSION,
    tenant: { id: TENANT, slug },
    filter,
    range: { from_seq: 1, to_seq: toSeq, from_prev_hash: GENESIS, head_hash: GENESIS },
    chain: { seq: toSeq, hash: GENESIS },
    entries: toSeq,
    omitted: 0,
    exported_at: "2026-11-20T10:00:00.000Z",
    exported_by: { type: "system", id: "cli", name: "cli" },
  });

it("a file cannot draw a verdict of its own over the one on it", async () => {
  const record = JSON.stringify({ event_id: FORGED, seq: 1 });
  const { status, out } = await verdictOn([first(1, "clinic"), entryLine(1, GENESIS, GENESIS, record)]);
  expect(status).toBe(1);
  expect(out.split("\n")).toEqual([expect.stringMatching(/^NOT VALID/), expect.stringMatching(/^ {2}line 2/), ""]);
  expect(out.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
});

it("nor hide a line of it", async () => {
  const head = first(0, FORGED, { q: FORGED });
  const end = { type: EXPORT_END_TYPE, entries: 0, omitted: 0, to_seq: 0, head_hash: GENESIS } as const;
  const digest = sha256(`${head}\n`).toString("hex");
  const { status, out } = await verdictOn([head, endLine({ ...end, sha256: digest })]);
  expect(status).toBe(0);
  expect(out.split("\n").filter((line) => line.startsWith("VALID"))).toHaveLength(1);
  expect(out.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  expect(out).toContain("not compared");
});
