import { createHash } from "node:crypto";
import { DIGEST_BYTES, genesisTip, linkHash, missingText, sha256, type Tip } from "@/lib/audit/chain";
import { contradiction, EXPORT_END_TYPE, type ExportManifest } from "@/lib/audit/export-lines";
import { type Entry, parseCanonical, toEnd, toEntry, toManifest, toOmitted } from "@/lib/audit/parse-export-line";
import { canonicalJson } from "@/lib/core/canonical-json";

/**
 * Checks an export with nothing but the file: every line is the canonical text of what it says, every entry follows
 * the one before, and the range ends in the stated head. Needs no server, no database and no key.
 *
 * What a file alone cannot show is a forger who computes everything anew: for that the chain has to go through a head that
 * was noted elsewhere (`--expect-head`), in the console or of an older export. Nor can it show that what is a digest in it did
 * not fit its filter, so the report names the filter.
 */
export type ExportProblem = {
  readonly line: number;
  /** The entry that is at fault; null where the fault lies in the first or last line. */
  readonly seq: number | null;
  readonly eventId: string | null;
  readonly problem: string;
};

export type ExportReport = {
  readonly valid: boolean;
  readonly problem: ExportProblem | null;
  readonly tenant: { readonly id: string; readonly slug: string } | null;
  /** What was asked for, in the words of the file. */
  readonly filter: Readonly<Record<string, string>>;
  readonly fromSeq: number;
  /** The last entry that was checked. */
  readonly toSeq: number;
  readonly entries: number;
  readonly omitted: number;
  readonly head: string;
  /** True when nothing can be missing before the range. */
  readonly fromGenesis: boolean;
  /** The entry whose hash is the expected head; what comes after it rests on the file alone. */
  readonly vouchedSeq: number | null;
};

const MAX_LINE_BYTES = 4 * 1024 * 1024;
const EVENT_ID = /"event_id":"([0-9a-f-]{36})"/;

type Fault = Omit<ExportProblem, "line">;

/** Verifies a file given as chunks of bytes, in constant memory. */
export async function verifyExport(chunks: AsyncIterable<Uint8Array>, expectHead?: string): Promise<ExportReport> {
  const verifier = new ExportVerifier(expectHead);
  let rest: Uint8Array = new Uint8Array();
  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let start = 0;
    for (let at = bytes.indexOf(0x0a); at !== -1; at = bytes.indexOf(0x0a, start)) {
      verifier.line(bytes.subarray(start, at));
      start = at + 1;
    }
    rest = bytes.subarray(start);
    if (rest.length > MAX_LINE_BYTES) break;
  }
  return verifier.finish(rest);
}

class ExportVerifier {
  private readonly expectHead: string | undefined;
  private readonly digest = createHash("sha256");
  private manifest: ExportManifest | null = null;
  private ended = false;
  private tip: Tip = { seq: 0, hash: new Uint8Array(DIGEST_BYTES) };
  private vouchedSeq: number | null = null;
  private lastEventId: string | null = null;
  private lineNumber = 0;
  private entries = 0;
  private omitted = 0;
  private problem: ExportProblem | null = null;
  /** After a gap, whether the missing entry stands further down decides between removed and moved. */
  private sought: { readonly seq: number; readonly found: (line: number, entry: Entry) => void } | null = null;

  constructor(expectHead: string | undefined) {
    this.expectHead = expectHead?.trim().toLowerCase();
  }

  line(bytes: Uint8Array): void {
    this.lineNumber += 1;
    if (this.problem !== null) {
      this.seek(bytes);
      return;
    }
    const fault = this.check(bytes);
    if (fault !== null) this.problem = { line: this.lineNumber, ...fault };
    this.digest.update(bytes).update("\n");
  }

  finish(rest: Uint8Array): ExportReport {
    if (rest.length > 0) {
      this.line(rest);
      this.problem ??= { line: this.lineNumber, seq: null, eventId: null, problem: "the last line does not end" };
    }
    this.problem ??= this.checkEnd();
    const { manifest } = this;
    return {
      valid: this.problem === null,
      problem: this.problem,
      tenant: manifest === null ? null : manifest.tenant,
      filter: manifest === null ? {} : manifest.filter,
      fromSeq: manifest === null ? 0 : manifest.range.from_seq,
      toSeq: this.tip.seq,
      entries: this.entries,
      omitted: this.omitted,
      head: toHex(this.tip.hash),
      fromGenesis: manifest !== null && manifest.range.from_seq === 1,
      vouchedSeq: this.vouchedSeq,
    };
  }

  private check(bytes: Uint8Array): Fault | null {
    if (this.ended) return { seq: null, eventId: null, problem: "a line was added after the last one" };
    const parsed = parseCanonical(bytes);
    if (typeof parsed === "string") return this.changed(bytes, parsed);
    if (this.manifest === null) return this.begin(parsed);
    if (parsed["type"] === EXPORT_END_TYPE) return this.endAt(parsed);
    if ("omitted" in parsed) return this.checkOmitted(parsed["omitted"]);
    const entry = toEntry(parsed);
    return entry === null ? this.changed(bytes, "it is neither an entry nor a run of digests") : this.checkEntry(entry);
  }

  /** A line that cannot be read stands where the next entry belongs. */
  private changed(bytes: Uint8Array, how: string): Fault {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
    const { manifest } = this;
    if (manifest === null) return { seq: null, eventId: null, problem: `the first line was changed: ${how}` };
    if (this.tip.seq >= manifest.range.to_seq)
      return { seq: null, eventId: null, problem: `the last line was changed: ${how}` };
    return {
      seq: this.tip.seq + 1,
      eventId: EVENT_ID.exec(text)?.[1] ?? null,
      problem: `its line was changed: ${how}`,
    };
  }

  private begin(parsed: Readonly<Record<string, unknown>>): Fault | null {
    const manifest = toManifest(parsed);
    if (manifest === null) {
      const entry = toEntry(parsed);
      const problem = "the first line, which states range and head, is missing or was changed: the beginning was cut";
      return { seq: entry?.seq ?? null, eventId: null, problem };
    }
    const { range, tenant } = manifest;
    const genesis = genesisTip(tenant.id);
    const against = contradiction(manifest);
    if (against !== null) return { seq: null, eventId: null, problem: `the first line contradicts itself: ${against}` };
    this.manifest = manifest;
    const before = { seq: range.from_seq - 1, hash: Buffer.from(range.from_prev_hash, "hex") };
    // The head before a range vouches for nothing in it.
    if (range.to_seq < range.from_seq) this.moveTo(before);
    else this.tip = before;
    if (range.from_seq === 1 && toHex(genesis.hash) !== range.from_prev_hash) {
      return {
        seq: null,
        eventId: null,
        problem: "the first line does not begin at the genesis of this tenant's chain",
      };
    }
    return null;
  }

  private moveTo(tip: Tip): void {
    this.tip = tip;
    if (this.expectHead !== undefined && toHex(tip.hash) === this.expectHead) this.vouchedSeq = tip.seq;
  }

  private checkEntry(entry: Entry): Fault | null {
    const eventId = typeof entry.record["event_id"] === "string" ? entry.record["event_id"] : null;
    const at = (problem: string, seq = entry.seq): Fault => ({ seq, eventId, problem });
    const hash = linkHash(Buffer.from(entry.prevHash, "hex"), sha256(canonicalJson(entry.record)));
    const sound = toHex(hash) === entry.hash && entry.record["seq"] === entry.seq;
    // An unsound line is a changed one and stands where it belongs; a sound one elsewhere was moved, or others were removed.
    if (!sound) return at("a byte of it was changed: its hash is not the hash of its record", this.tip.seq + 1);
    const order = this.checkOrder(entry.seq, eventId);
    if (order !== null) return order;
    if (entry.prevHash !== toHex(this.tip.hash)) return at(`it does not follow entry ${this.tip.seq} of this file`);
    if (entry.record["tenant_id"] !== this.manifest?.tenant.id) return at("it belongs to another tenant");
    this.moveTo({ seq: entry.seq, hash });
    this.lastEventId = eventId;
    this.entries += 1;
    return null;
  }

  private checkOrder(seq: number, eventId: string | null): Fault | null {
    const expected = this.tip.seq + 1;
    if (seq < expected)
      return { seq, eventId, problem: `it was inserted: entry ${seq} stands again, after entry ${this.tip.seq}` };
    if (seq === expected) return null;
    this.soughtAfter(expected, seq);
    const where = this.lastEventId === null ? "at the beginning" : `after entry ${this.tip.seq} (${this.lastEventId})`;
    return { seq: expected, eventId: null, problem: `${missingText(expected, seq - 1)} ${where}: removed` };
  }

  private soughtAfter(expected: number, instead: number): void {
    this.sought = {
      seq: expected,
      found: (line, entry) => {
        if (this.problem === null) return;
        const eventId = typeof entry.record["event_id"] === "string" ? entry.record["event_id"] : null;
        const problem = `lines were swapped: entry ${expected} stands in line ${line}, after entry ${instead}`;
        this.problem = { ...this.problem, eventId, problem };
      },
    };
  }

  private seek(bytes: Uint8Array): void {
    if (this.sought === null) return;
    const parsed = parseCanonical(bytes);
    const entry = typeof parsed === "string" ? null : toEntry(parsed);
    if (entry?.seq !== this.sought.seq) return;
    this.sought.found(this.lineNumber, entry);
    this.sought = null;
  }

  private checkOmitted(value: unknown): Fault | null {
    const run = toOmitted(value);
    const expected = this.tip.seq + 1;
    if (run === null) return { seq: expected, eventId: null, problem: "a run of digests was changed" };
    const order = this.checkOrder(run.fromSeq, null);
    if (order !== null) return order;
    for (const digest of run.digests) {
      const { seq, hash } = this.tip;
      this.moveTo({ seq: seq + 1, hash: linkHash(hash, Buffer.from(digest, "hex")) });
    }
    this.omitted += run.digests.length;
    this.lastEventId = null;
    return null;
  }

  private endAt(parsed: Readonly<Record<string, unknown>>): Fault | null {
    const end = toEnd(parsed);
    const range = this.manifest?.range;
    if (end === null || range === undefined) return { seq: null, eventId: null, problem: "the last line was changed" };
    this.ended = true;
    if (this.tip.seq < range.to_seq) {
      return {
        seq: this.tip.seq + 1,
        eventId: null,
        problem: `${missingText(this.tip.seq + 1, range.to_seq)} at the end: removed`,
      };
    }
    const head = toHex(this.tip.hash);
    if (
      this.tip.seq > range.to_seq ||
      head !== range.head_hash ||
      end.head_hash !== head ||
      end.to_seq !== range.to_seq
    ) {
      return {
        seq: range.to_seq,
        eventId: this.lastEventId,
        problem: "the head stated in the file is not the head of its entries",
      };
    }
    const counted = this.entries === end.entries && this.omitted === end.omitted;
    if (!counted || end.entries !== this.manifest?.entries || end.omitted !== this.manifest.omitted) {
      return { seq: null, eventId: null, problem: "the totals stated in the file are not the totals of its entries" };
    }
    if (this.digest.copy().digest("hex") !== end.sha256) {
      return {
        seq: null,
        eventId: null,
        problem: "the first or the last line was changed: the digest of the file differs",
      };
    }
    return null;
  }

  private checkEnd(): ExportProblem | null {
    const at = (problem: string, seq: number | null = null): ExportProblem => ({
      line: this.lineNumber,
      seq,
      eventId: null,
      problem,
    });
    if (this.manifest === null) return at("the file is empty");
    const { to_seq: toSeq } = this.manifest.range;
    if (!this.ended) {
      return this.tip.seq < toSeq
        ? at(`the end was cut: ${missingText(this.tip.seq + 1, toSeq)}`, this.tip.seq + 1)
        : at("the end was cut: the last line is missing");
    }
    if (this.expectHead !== undefined && this.vouchedSeq === null) {
      return at(
        "the head is not the expected one, nor is that of any entry in this file: it ends before, is of another chain, or was made anew",
        toSeq,
      );
    }
    return null;
  }
}

const toHex = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex");
