import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chainRecord, genesisTip, sha256, type Tip } from "@/lib/audit/chain";
import type { EntryDraft } from "@/lib/audit/entry";
import {
  EXPORT_END_TYPE,
  EXPORT_TYPE,
  EXPORT_VERSION,
  endLine,
  entryLine,
  manifestLine,
  omittedLine,
} from "@/lib/audit/export-lines";
import { toRecordFields } from "@/lib/audit/record";
import { recordBytes, toRecordText } from "@/lib/audit/record-text";
import { type ExportReport, verifyExport } from "@/lib/audit/verify";
import { newId } from "@/lib/core/ids";

const TENANT = newId();
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

/** `heads`: the hash of each entry, in order. */
type Made = { readonly lines: string[]; readonly ids: string[]; readonly head: string; readonly heads: string[] };

/** An export of `count` entries after `before` that are not in it; those for which `omit` says so are digests only. */
function makeExport(
  count: number,
  { before = 0, omit }: { before?: number; omit?: (seq: number) => boolean } = {},
): Made {
  let tip: Tip = genesisTip(TENANT);
  const ids: string[] = [];
  const heads: string[] = [];
  const lines: string[] = [];
  let run: string[] = [];
  let from: Tip = tip;
  let omitted = 0;
  for (let seq = 1; seq <= before + count; seq += 1) {
    const eventId = newId();
    const draft: EntryDraft = {
      tenantId: TENANT,
      phase: "outcome",
      eventType: "tool_call.finished",
      outcome: "success",
      actor: { type: "agent", id: newId(), name: `bot-é${seq}` },
      requestId: `request-${seq}`,
    };
    const stamp = { eventId, ts: "2026-11-20T10:00:00.000001Z", gatewayId: TENANT, gatewayVersion: "0.1.0" };
    const record = recordBytes(toRecordText(toRecordFields(draft, stamp)), seq);
    const chained = chainRecord(tip, record);
    if (seq <= before) from = chained;
    else if (omit?.(seq) === true) run.push(hex(chained.recordSha256));
    else {
      if (run.length > 0) lines.push(omittedLine(seq - run.length, run));
      omitted += run.length;
      run = [];
      lines.push(entryLine(seq, hex(tip.hash), hex(chained.hash), record.toString("utf8")));
      ids.push(eventId);
    }
    tip = chained;
    heads.push(hex(tip.hash));
  }
  if (run.length > 0) lines.push(omittedLine(tip.seq - run.length + 1, run));
  omitted += run.length;
  const first = manifestLine({
    type: EXPORT_TYPE,
    version: EXPORT_VERSION,
    tenant: { id: TENANT, slug: "clinic" },
    filter: {
      ...(before === 0 ? {} : { from: "2026-11-20T10:00:00Z" }),
      ...(omit === undefined ? {} : { tool: "read_file" }),
    },
    range: { from_seq: before + 1, to_seq: tip.seq, from_prev_hash: hex(from.hash), head_hash: hex(tip.hash) },
    chain: { seq: tip.seq, hash: hex(tip.hash) },
    entries: count - omitted,
    omitted,
    exported_at: "2026-11-20T10:00:00.000Z",
    exported_by: { type: "system", id: "cli", name: "cli" },
  });
  return { lines: sealed([first, ...lines], tip, count - omitted, omitted), ids, head: hex(tip.hash), heads };
}

function sealed(body: string[], tip: Tip, entries: number, omitted: number): string[] {
  const digest = hex(sha256(`${body.join("\n")}\n`));
  return [
    ...body,
    endLine({ type: EXPORT_END_TYPE, entries, omitted, to_seq: tip.seq, head_hash: hex(tip.hash), sha256: digest }),
  ];
}

async function* inChunks(bytes: Uint8Array, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
const verifyBytes = (bytes: Uint8Array, expectHead?: string, size = 700): Promise<ExportReport> =>
  verifyExport(inChunks(bytes, size), expectHead);
const verifyLines = (lines: readonly string[], expectHead?: string) =>
  verifyBytes(Buffer.from(`${lines.join("\n")}\n`), expectHead);

describe("an export", () => {
  it("is valid as it was made", async () => {
    for (const given of [makeExport(0), makeExport(1), makeExport(12), makeExport(12, { before: 5 })]) {
      const report = await verifyLines(given.lines, given.head);
      expect(report).toMatchObject({ valid: true, problem: null, head: given.head });
    }
    expect(await verifyLines(makeExport(12).lines)).toMatchObject({
      entries: 12,
      fromSeq: 1,
      toSeq: 12,
      fromGenesis: true,
    });
    expect(await verifyLines(makeExport(12, { before: 5 }).lines)).toMatchObject({
      fromSeq: 6,
      toSeq: 17,
      fromGenesis: false,
    });
  });

  it("is valid with left-out entries anywhere", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 20 }), async (left) => {
        const given = makeExport(left.length, { omit: (seq) => left[seq - 1] === true });
        const report = await verifyLines(given.lines, given.head);
        expect(report).toMatchObject({ valid: true, omitted: left.filter(Boolean).length, toSeq: left.length });
      }),
      { numRuns: 40 },
    );
  });

  it("reads the same whatever the size of the chunks", async () => {
    const bytes = Buffer.from(`${makeExport(5).lines.join("\n")}\n`);
    for (const size of [1, 2, 3, 64, 100_000]) expect((await verifyBytes(bytes, undefined, size)).valid).toBe(true);
  });

  it("shows every change of a single byte, and names the entry it is in", async () => {
    const given = makeExport(4, { omit: (seq) => seq === 2 });
    const bytes = Buffer.from(`${given.lines.join("\n")}\n`);
    const lineStarts = given.lines.map((_, at) =>
      Buffer.byteLength(
        given.lines
          .slice(0, at)
          .map((line) => `${line}\n`)
          .join(""),
      ),
    );
    const entryOfLine = new Map([
      [1, { seq: 1, eventId: given.ids[0] }],
      [3, { seq: 3, eventId: given.ids[1] }],
      [4, { seq: 4, eventId: given.ids[2] }],
    ]);
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Uint8Array.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
      const report = await verifyBytes(changed);
      expect(report.valid, `byte ${at}`).toBe(false);
      const line = lineStarts.findLastIndex((start) => start <= at);
      const entry = entryOfLine.get(line);
      const isNewline = bytes[at] === 0x0a;
      if (entry !== undefined && !isNewline) expect(report.problem?.seq, `byte ${at}`).toBe(entry.seq);
    }
  }, 30_000);

  it("names the changed entry by its id", async () => {
    const { lines, ids } = makeExport(6);
    const changed = lines.with(3, (lines[3] ?? "").replace("bot-é3", "bot-é4"));
    expect((await verifyLines(changed)).problem).toMatchObject({ line: 4, seq: 3, eventId: ids[2] });
    expect((await verifyLines(changed)).problem?.problem).toContain("byte");
  });

  it("names a removed line", async () => {
    const { lines } = makeExport(6);
    expect((await verifyLines(lines.toSpliced(3, 1))).problem).toMatchObject({
      seq: 3,
      problem: expect.stringContaining("entry 3 is missing after entry 2"),
    });
  });

  it("names swapped lines", async () => {
    const { lines, ids } = makeExport(6);
    const swapped = lines.with(3, lines[4] ?? "").with(4, lines[3] ?? "");
    expect((await verifyLines(swapped)).problem).toMatchObject({
      seq: 3,
      eventId: ids[2],
      problem: expect.stringContaining("swapped: entry 3 stands in line 5"),
    });
  });

  it("names an inserted line", async () => {
    const { lines, ids } = makeExport(6);
    expect((await verifyLines(lines.toSpliced(4, 0, lines[3] ?? ""))).problem).toMatchObject({
      line: 5,
      seq: 3,
      eventId: ids[2],
      problem: expect.stringContaining("inserted"),
    });
  });

  it("finds a cut beginning and a cut end", async () => {
    const { lines } = makeExport(6);
    expect((await verifyLines(lines.slice(1))).problem?.problem).toContain("the beginning was cut");
    expect((await verifyLines(lines.toSpliced(1, 2))).problem).toMatchObject({
      seq: 1,
      problem: expect.stringContaining("entries 1 to 2 are missing at the beginning"),
    });
    expect((await verifyLines(lines.slice(0, 5))).problem).toMatchObject({
      seq: 5,
      problem: expect.stringContaining("the end was cut: entries 5 to 6"),
    });
    expect((await verifyLines(lines.slice(0, -1))).problem?.problem).toContain("the last line is missing");
    expect((await verifyLines(lines.toSpliced(5, 2))).problem).toMatchObject({ seq: 5 });
    expect((await verifyBytes(Buffer.from(lines.join("\n")))).problem?.problem).toContain("does not end");
    expect((await verifyBytes(new Uint8Array())).problem?.problem).toContain("empty");
  });

  it("finds lines after the last, another tenant's entry and a wrong head", async () => {
    const given = makeExport(3);
    expect((await verifyLines([...given.lines, given.lines[1] ?? ""])).problem?.problem).toContain("after the last");
    const first = JSON.parse(given.lines[0] ?? "");
    const moved = { ...first, tenant: { id: newId(), slug: "bank" } };
    const body = [manifestLine(moved), ...given.lines.slice(1, -1)];
    const tip = { seq: 3, hash: Buffer.from(given.head, "hex") };
    expect((await verifyLines(sealed(body, tip, 3, 0))).problem?.problem).toContain("genesis");
    expect((await verifyLines(given.lines, "0".repeat(64))).problem?.problem).toContain("not the expected one");
  });

  it("control: a forger who computes the whole file anew is shown by nothing in it but by the expected head", async () => {
    const honest = makeExport(6);
    const forged = makeExport(5);
    expect((await verifyLines(forged.lines)).valid).toBe(true);
    expect((await verifyLines(forged.lines, honest.head)).valid).toBe(false);
  });

  it("is not vouched for by a head that its first line only names", async () => {
    const honest = makeExport(6);
    const forged = makeExport(5);
    const first = JSON.parse(forged.lines[0] ?? "");
    const tip = { seq: 5, hash: Buffer.from(forged.head, "hex") };
    for (const seq of [5, 6]) {
      const named = manifestLine({ ...first, filter: { from: "2026-11-20" }, chain: { seq, hash: honest.head } });
      const lines = sealed([named, ...forged.lines.slice(1, -1)], tip, 5, 0);
      expect(await verifyLines(lines, honest.head), `named as entry ${seq}`).toMatchObject({ valid: false });
    }
  });

  it("goes through a head that was noted earlier, and says how far that vouches for it", async () => {
    const { lines, heads, head } = makeExport(6, { omit: (seq) => seq === 3 || seq === 4 });
    for (const [at, expected] of heads.entries())
      expect(await verifyLines(lines, expected)).toMatchObject({ valid: true, vouchedSeq: at + 1, head });
    expect(await verifyLines(lines)).toMatchObject({ valid: true, vouchedSeq: null });
    expect(await verifyLines(lines, ` ${head.toUpperCase()}\n`)).toMatchObject({ valid: true, vouchedSeq: 6 });
  });

  it("is whole where its first line names no filter: an entry that was made a digest, or a cut end, shows", async () => {
    const given = makeExport(6);
    const first = JSON.parse(given.lines[0] ?? "");
    const tip = { seq: 6, hash: Buffer.from(given.head, "hex") };
    const hidden = hex(sha256(JSON.stringify(JSON.parse(given.lines[4] ?? "").record)));
    const body = given.lines.slice(1, -1).with(3, omittedLine(4, [hidden]));
    const withoutOne = { ...first, entries: 5, omitted: 1 };
    expect(await verifyLines(sealed([manifestLine(withoutOne), ...body], tip, 5, 1), given.head)).toMatchObject({
      valid: false,
      problem: { problem: expect.stringContaining("names no filter") },
    });
    // Control: where it names one, the file says so, and nothing in it can show whether that is why.
    const named = manifestLine({ ...withoutOne, filter: { q: "4" } });
    const report = await verifyLines(sealed([named, ...body], tip, 5, 1), given.head);
    expect(report).toMatchObject({ valid: true, omitted: 1, filter: { q: "4" } });

    const range = { ...first.range, to_seq: 4, head_hash: given.heads[3] };
    const cut = { seq: 4, hash: Buffer.from(given.heads[3] ?? "", "hex") };
    const shorter = [manifestLine({ ...first, range, entries: 4 }), ...given.lines.slice(1, 5)];
    expect(await verifyLines(sealed(shorter, cut, 4, 0))).toMatchObject({ valid: false });
  });

  it("may begin late where a time is named beside the range 'all', which then says nothing", async () => {
    const given = makeExport(3, { before: 2 });
    const first = JSON.parse(given.lines[0] ?? "");
    const tip = { seq: 5, hash: Buffer.from(given.head, "hex") };
    const verdict = (filter: object) =>
      verifyLines(sealed([manifestLine({ ...first, filter }), ...given.lines.slice(1, -1)], tip, 3, 0));
    expect(await verdict({ range: "all", from: "2026-11-20T10:00:00Z" })).toMatchObject({ valid: true });
    expect(await verdict({ range: "all" })).toMatchObject({ valid: false });
    expect(await verdict({ range: "24h" })).toMatchObject({ valid: true });
  });

  it("survives garbage", async () => {
    const deep = `${"[".repeat(200_000)}${"]".repeat(200_000)}`;
    for (const text of ["\n", "{}\n", "null\n", deep, `{"type":"${EXPORT_TYPE}"}\n`, "\ufeff{}\n"]) {
      expect((await verifyBytes(Buffer.from(text), undefined, 1_000_000)).valid).toBe(false);
    }
  });
});
