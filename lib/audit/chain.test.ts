import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type ChainedRecord,
  ChainLinker,
  chainRecord,
  firstBreak,
  genesisTip,
  linkHash,
  sha256,
  type Tip,
} from "@/lib/audit/chain";

const TENANT = "0193e7a0-0000-7000-8000-000000000001";

function chainOf(texts: readonly string[], tenantId = TENANT): ChainedRecord[] {
  let tip: Tip = genesisTip(tenantId);
  return texts.map((text) => {
    const entry = chainRecord(tip, Buffer.from(text));
    tip = entry;
    return entry;
  });
}

// Records differ by position, as real ones do by seq and event id.
const records = fc
  .array(fc.string({ minLength: 1, maxLength: 60 }), { minLength: 2, maxLength: 30 })
  .map((texts) => texts.map((text, at) => `${at}:${text}`));
const chainAndIndex = records.chain((texts) =>
  fc.record({ entries: fc.constant(chainOf(texts)), at: fc.nat(texts.length - 1) }),
);

function withByteFlipped(bytes: Uint8Array, at: number, xor: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  const index = at % copy.length;
  copy[index] = (copy[index] ?? 0) ^ xor;
  return copy;
}

const at = (entries: readonly ChainedRecord[], index: number): ChainedRecord => {
  const entry = entries[index];
  if (entry === undefined) throw new Error(`no entry ${index}`);
  return entry;
};

describe("the hash chain", () => {
  it("is the same whether records are linked one by one or in a row", () => {
    fc.assert(
      fc.property(records, (texts) => {
        const linker = new ChainLinker(genesisTip(TENANT));
        for (const entry of chainOf(texts)) {
          linker.link(entry.record);
          expect(linker.seq).toBe(entry.seq);
          expect(linker.hash).toBe(Buffer.from(entry.hash).toString("hex"));
          expect(Buffer.from(linker.prevHash)).toEqual(Buffer.from(entry.prevHash));
          expect(Buffer.from(linker.recordSha256)).toEqual(Buffer.from(entry.recordSha256));
        }
        expect(linker.tip().hash).toEqual(Buffer.from(chainOf(texts).at(-1)?.hash ?? []));
      }),
    );
  });

  it("holds for every untouched chain", () => {
    fc.assert(
      fc.property(records, (texts) => {
        expect(firstBreak(chainOf(texts), genesisTip(TENANT))).toBeNull();
      }),
    );
  });

  it("names the entry after any single byte of it is changed", () => {
    const fields = ["record", "recordSha256", "prevHash", "hash"] as const;
    fc.assert(
      fc.property(
        chainAndIndex,
        fc.constantFrom(...fields),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (given, field, index, xor) => {
          const entries = given.entries.map((entry, position) =>
            position === given.at ? { ...entry, [field]: withByteFlipped(entry[field], index, xor) } : entry,
          );
          expect(firstBreak(entries, genesisTip(TENANT))?.seq).toBe(given.at + 1);
        },
      ),
      { numRuns: 500 },
    );
  });

  it("names a removed entry, unless it was the last: only the head knows the end", () => {
    fc.assert(
      fc.property(chainAndIndex, (given) => {
        const entries = given.entries.toSpliced(given.at, 1);
        const found = firstBreak(entries, genesisTip(TENANT));
        if (given.at === given.entries.length - 1) expect(found).toBeNull();
        else expect(found).toMatchObject({ seq: given.at + 1, kind: "missing" });
      }),
    );
  });

  it("names swapped entries", () => {
    fc.assert(
      fc.property(chainAndIndex, fc.nat(), (given, other) => {
        const right = other % given.entries.length;
        fc.pre(right !== given.at);
        const entries = given.entries.with(given.at, at(given.entries, right)).with(right, at(given.entries, given.at));
        expect(firstBreak(entries, genesisTip(TENANT))?.seq).toBe(Math.min(given.at, right) + 1);
      }),
    );
  });

  it("names records that were swapped below unchanged sequence numbers and hashes", () => {
    const entries = chainOf(["0:a", "1:b", "2:c"]);
    const forged = [
      at(entries, 0),
      { ...at(entries, 1), record: at(entries, 2).record, recordSha256: at(entries, 2).recordSha256 },
      { ...at(entries, 2), record: at(entries, 1).record, recordSha256: at(entries, 1).recordSha256 },
    ];
    expect(firstBreak(forged, genesisTip(TENANT))).toMatchObject({ seq: 2, kind: "hash_changed" });
  });

  it("names an inserted entry, even one that carries a sound hash of its own", () => {
    fc.assert(
      fc.property(chainAndIndex, fc.string(), (given, text) => {
        const before: Tip = given.at === 0 ? genesisTip(TENANT) : at(given.entries, given.at - 1);
        const forged = chainRecord(before, Buffer.from(`forged:${text}`));
        const found = firstBreak(given.entries.toSpliced(given.at, 0, forged), genesisTip(TENANT));
        expect(found).toMatchObject({ seq: given.at + 1, kind: "out_of_order" });
      }),
    );
  });

  it("names a duplicated entry", () => {
    fc.assert(
      fc.property(chainAndIndex, (given) => {
        const entries = given.entries.toSpliced(given.at, 0, at(given.entries, given.at));
        expect(firstBreak(entries, genesisTip(TENANT))).toMatchObject({ seq: given.at + 1, kind: "out_of_order" });
      }),
    );
  });

  it("refuses another tenant's chain", () => {
    const other = chainOf(["0:a", "1:b"], "0193e7a0-0000-7000-8000-000000000002");
    expect(firstBreak(other, genesisTip(TENANT))).toMatchObject({ seq: 1, kind: "not_linked" });
  });

  it("control: without the links a removed entry renumbered by the forger would pass", () => {
    const entries = chainOf(["0:a", "1:b", "2:c"]);
    const renumbered = [at(entries, 0), { ...at(entries, 2), seq: 2 }];
    // Every record still has its own digest, so digests alone see nothing …
    for (const entry of renumbered) expect(sha256(entry.record).equals(Buffer.from(entry.recordSha256))).toBe(true);
    // … the link does.
    expect(firstBreak(renumbered, genesisTip(TENANT))).toMatchObject({ seq: 2, kind: "not_linked" });
  });

  it("is what anybody can recompute from the published formula", () => {
    const [first] = chainOf(["0:a"]);
    const genesis = sha256(`countersign.audit.genesis.v1\u0000${TENANT}`);
    const expected = sha256(Buffer.concat([Buffer.from([1]), genesis, sha256("0:a")]));
    expect(Buffer.from(first?.hash ?? []).toString("hex")).toBe(expected.toString("hex"));
    expect(linkHash(genesis, sha256("0:a"))).toEqual(expected);
  });
});
