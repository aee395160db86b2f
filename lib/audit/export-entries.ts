import { createHash } from "node:crypto";
import { genesisTip } from "@/lib/audit/chain";
import { type EntryFilter, SqlValues, spanOf, statedFilter, toConditions } from "@/lib/audit/entry-filter";
import {
  EXPORT_END_TYPE,
  EXPORT_TYPE,
  EXPORT_VERSION,
  type ExportManifest,
  endLine,
  entryLine,
  manifestLine,
  omittedLine,
} from "@/lib/audit/export-lines";
import { exportEntriesInput } from "@/lib/audit/schemas";
import { actorId, actorName, type RequestContext } from "@/lib/core/context";
import type { TenantTx } from "@/lib/db/in-tenant";
import { tenantSql } from "@/lib/db/sql";
import { defineRead } from "@/lib/db/verbs";

const CHUNK = 500;

export type TrailExport = {
  readonly manifest: ExportManifest;
  readonly filename: string;
  /** The file, a chunk of lines at a time; read once. */
  readonly lines: () => AsyncGenerator<string>;
};

/**
 * The trail as a file that `audit verify` checks without us. Its range and totals are fixed and its own entry is
 * durable before the first byte leaves; rows are then read a chunk at a time, which the append-only trail allows.
 */
export const exportEntries = defineRead({
  permission: "audit:export",
  input: exportEntriesInput,
  run: async (tx, ctx, filter): Promise<TrailExport> => {
    const now = Date.now();
    const manifest = await makeManifest(tx, ctx, filter, now);
    const { from_seq: fromSeq, to_seq: toSeq } = manifest.range;
    return {
      manifest,
      filename: `countersign-${manifest.tenant.slug}-${fromSeq}-${toSeq}.jsonl`,
      lines: () => exportLines(ctx.tenantId, manifest, filter, now),
    };
  },
  audit: (_input, { manifest }) => ({
    action: "trail.exported",
    target: `entries ${manifest.range.from_seq} to ${manifest.range.to_seq} (${manifest.entries} in full, ${manifest.omitted} as digests)`,
    after: { filter: manifest.filter, range: manifest.range, chain: manifest.chain },
  }),
});

type RangeRow = { readonly from_seq: string | null; readonly to_seq: string | null };

async function makeManifest(
  tx: TenantTx,
  ctx: RequestContext,
  filter: EntryFilter,
  now: number,
): Promise<ExportManifest> {
  const { tenantId } = ctx;
  const genesis = hex(genesisTip(tenantId).hash);
  const [head] = await tx.$queryRawUnsafe<{ seq: string; hash: string }[]>(
    `select seq::text as seq, encode(hash, 'hex') as hash from audit_heads where tenant_id = $1::uuid`,
    tenantId,
  );
  const chain = { seq: Number(head?.seq ?? 0), hash: head?.hash ?? genesis };
  const range = await rangeOf(tx, tenantId, filter, now, chain.seq);
  const entries = await countMatching(tx, tenantId, filter, now, range);
  const tenant = await tx.tenant.findUnique({ where: { id: tenantId }, select: { slug: true } });
  return {
    type: EXPORT_TYPE,
    version: EXPORT_VERSION,
    tenant: { id: tenantId, slug: tenant?.slug ?? "platform" },
    filter: statedFilter(filter),
    range: {
      from_seq: range.from,
      to_seq: range.to,
      from_prev_hash: range.from === 1 ? genesis : await hashAt(tx, tenantId, range.from - 1, genesis),
      head_hash: range.to === chain.seq ? chain.hash : await hashAt(tx, tenantId, range.to, genesis),
    },
    chain,
    entries,
    omitted: range.to - range.from + 1 - entries,
    exported_at: new Date(now).toISOString(),
    exported_by: { type: ctx.actor.kind, id: actorId(ctx.actor), name: actorName(ctx.actor) },
  };
}

type SeqRange = { readonly from: number; readonly to: number };

/** The contiguous range that covers the asked span of time; the whole chain when none is asked. */
async function rangeOf(
  tx: TenantTx,
  tenantId: string,
  filter: EntryFilter,
  now: number,
  headSeq: number,
): Promise<SeqRange> {
  const { from, to } = spanOf(filter, now);
  if (from === null && to === null) return { from: 1, to: headSeq };
  const sql = new SqlValues();
  const conditions = [`e.tenant_id = ${sql.add(tenantId, "uuid")}`, `e.seq <= ${sql.add(String(headSeq), "bigint")}`];
  if (from !== null) conditions.push(`e.ts >= ${sql.add(from, "timestamptz")}`);
  if (to !== null) conditions.push(`e.ts < ${sql.add(to, "timestamptz")}`);
  const [row] = await tx.$queryRawUnsafe<RangeRow[]>(
    `select min(e.seq)::text as from_seq, max(e.seq)::text as to_seq from audit_entries e where ${conditions.join(" and ")}`,
    ...sql.values,
  );
  // Nothing in the span: an empty range at the head, which still says where the chain stands.
  return { from: Number(row?.from_seq ?? headSeq + 1), to: Number(row?.to_seq ?? headSeq) };
}

async function countMatching(
  tx: TenantTx,
  tenantId: string,
  filter: EntryFilter,
  now: number,
  range: SeqRange,
): Promise<number> {
  const sql = new SqlValues();
  const within = withinRange(tenantId, range, sql);
  const conditions = toConditions(filter, sql, now);
  // Without a filter every number of the range must be there; should a row be missing, the file says so by being invalid.
  if (conditions.length === 0) return range.to - range.from + 1;
  const [row] = await tx.$queryRawUnsafe<{ n: string }[]>(
    `select count(*)::text as n from audit_entries e where ${[within, ...conditions].join(" and ")}`,
    ...sql.values,
  );
  return Number(row?.n ?? 0);
}

const withinRange = (tenantId: string, range: SeqRange, sql: SqlValues): string =>
  `e.tenant_id = ${sql.add(tenantId, "uuid")} and e.seq >= ${sql.add(String(range.from), "bigint")}
    and e.seq <= ${sql.add(String(range.to), "bigint")}`;

async function hashAt(tx: TenantTx, tenantId: string, seq: number, genesis: string): Promise<string> {
  if (seq === 0) return genesis;
  const [row] = await tx.$queryRawUnsafe<{ hash: string }[]>(
    `select encode(hash, 'hex') as hash from audit_entries where tenant_id = $1::uuid and seq = $2::bigint`,
    tenantId,
    String(seq),
  );
  return row?.hash ?? "0".repeat(64);
}

type ExportRow = {
  readonly seq: string;
  readonly prev_hash: string;
  readonly hash: string;
  readonly digest: string;
  /** null where the filter leaves the entry out. */
  readonly record: Buffer | null;
};

async function* exportLines(
  tenantId: string,
  manifest: ExportManifest,
  filter: EntryFilter,
  now: number,
): AsyncGenerator<string> {
  const digest = createHash("sha256");
  const sealed = (text: string): string => {
    digest.update(text);
    return text;
  };
  yield sealed(`${manifestLine(manifest)}\n`);
  let next = manifest.range.from_seq;
  while (next <= manifest.range.to_seq) {
    const rows = await readRows(tenantId, filter, now, { from: next, to: manifest.range.to_seq });
    if (rows.length === 0) break;
    yield sealed(toLines(rows));
    next = Number(rows.at(-1)?.seq) + 1;
  }
  const { entries, omitted, range } = manifest;
  const end = { type: EXPORT_END_TYPE, entries, omitted, to_seq: range.to_seq, head_hash: range.head_hash } as const;
  yield `${endLine({ ...end, sha256: digest.digest("hex") })}\n`;
}

async function readRows(
  tenantId: string,
  filter: EntryFilter,
  now: number,
  range: SeqRange,
): Promise<readonly ExportRow[]> {
  const sql = new SqlValues();
  const within = withinRange(tenantId, range, sql);
  const conditions = toConditions(filter, sql, now);
  const record = conditions.length === 0 ? "e.record" : `case when ${conditions.join(" and ")} then e.record end`;
  const { rows } = await tenantSql(tenantId, (client) =>
    client.query<ExportRow>(
      `select e.seq::text as seq, encode(e.prev_hash, 'hex') as prev_hash, encode(e.hash, 'hex') as hash,
          encode(e.record_sha256, 'hex') as digest, ${record} as record
        from audit_entries e where ${within} order by e.seq limit ${CHUNK}`,
      sql.values,
    ),
  );
  return rows;
}

function toLines(rows: readonly ExportRow[]): string {
  let out = "";
  let run: string[] = [];
  const endRun = (before: number) => {
    if (run.length > 0) out += `${omittedLine(before - run.length, run)}\n`;
    run = [];
  };
  for (const row of rows) {
    const seq = Number(row.seq);
    if (row.record === null) run.push(row.digest);
    else {
      endRun(seq);
      out += `${entryLine(seq, row.prev_hash, row.hash, row.record.toString("utf8"))}\n`;
    }
  }
  endRun(Number(rows.at(-1)?.seq) + 1);
  return out;
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
