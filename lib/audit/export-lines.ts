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
