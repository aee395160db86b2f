import { canonicalJson } from "@/lib/core/canonical-json";

/**
 * The file an export is. JSON lines, each the RFC 8785 text of what it says:
 *
 *   1      manifest: tenant, filter, the range of sequence numbers with the hash before it and the hash at its end
 *   2..n   one entry each: {"hash","prev_hash","record","seq"}; or a run that the filter left out: {"omitted":{…digests…}}
 *   n+1    end: totals and the SHA-256 of every byte before it
 *
 * The range is contiguous. Since a hash covers the digest of a record, a run of digests carries the chain across
 * what was left out.
 */
export const EXPORT_TYPE = "countersign.export";
export const EXPORT_END_TYPE = "countersign.export.end";
export const EXPORT_VERSION = 1;

export type ExportManifest = {
  readonly type: typeof EXPORT_TYPE;
  readonly version: typeof EXPORT_VERSION;
  readonly tenant: { readonly id: string; readonly slug: string };
  readonly filter: Readonly<Record<string, string>>;
  readonly range: {
    readonly from_seq: number;
    readonly to_seq: number;
    readonly from_prev_hash: string;
    readonly head_hash: string;
  };
  /** Where the whole chain stood when the export was made. */
  readonly chain: { readonly seq: number; readonly hash: string };
  readonly entries: number;
  readonly omitted: number;
  readonly exported_at: string;
  readonly exported_by: { readonly type: string; readonly id: string; readonly name: string };
};

export type ExportEnd = {
  readonly type: typeof EXPORT_END_TYPE;
  readonly entries: number;
  readonly omitted: number;
  readonly to_seq: number;
  readonly head_hash: string;
  readonly sha256: string;
};

export const manifestLine = (manifest: ExportManifest): string => canonicalJson(manifest);
export const endLine = (end: ExportEnd): string => canonicalJson(end);

/** `record` is the stored text, which is canonical already: it is copied, never parsed and written again. */
export const entryLine = (seq: number, prevHash: string, hash: string, record: string): string =>
  `{"hash":"${hash}","prev_hash":"${prevHash}","record":${record},"seq":${seq}}`;

export const omittedLine = (fromSeq: number, digests: readonly string[]): string =>
  `{"omitted":{"digests":["${digests.join('","')}"],"from_seq":${fromSeq},"to_seq":${fromSeq + digests.length - 1}}}`;

const isTime = (name: string): boolean => name === "from" || name === "to" || name === "range";
const namesTime = ([name, value]: readonly [string, string]): boolean => isTime(name) && value !== "all";

/**
 * What the first line says against itself; null when nothing. Without a filter the whole chain is in the file, and in full: so
 * nobody can make a digest of an entry, or cut the end, without naming a filter that whoever reads the report can see.
 */
export function contradiction({ filter, range, chain, omitted }: ExportManifest): string | null {
  const isPart = Object.entries(filter).some(namesTime);
  if (range.to_seq > chain.seq || (range.to_seq === chain.seq && range.head_hash !== chain.hash))
    return "its range does not fit the chain that it names";
  if (!isPart && (range.from_seq !== 1 || range.to_seq !== chain.seq))
    return "it names no span of time, and its range is not the whole chain";
  if (!isPart && omitted > 0 && Object.keys(filter).every(isTime))
    return "it names no filter, and entries are left out";
  return null;
}
