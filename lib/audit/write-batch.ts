import { genesisTip, type Tip } from "@/lib/audit/chain";
import { type LinkedRows, ROW_COLUMNS, writeRows } from "@/lib/audit/entry-rows";
import type { PreparedEntry } from "@/lib/audit/prepare-entry";
import { AppError } from "@/lib/core/errors";
import { WireWriter } from "@/lib/db/wire-writer";

export type Statement = { readonly name: string; readonly text: string };

/** Runs one statement inside the caller's transaction; `pg` and Prisma both fit. Parameters are text, or bytes in binary form. */
export type RunSql = (
  statement: Statement,
  values: readonly (string | Buffer)[],
) => Promise<readonly Readonly<Record<string, unknown>>[]>;

/** What most entries take; others make the buffer grow. */
const BYTES_PER_ROW = 3_072;

const LOCK_HEAD = {
  name: "audit_lock_head",
  text: "select seq::text as seq, encode(hash, 'hex') as hash from audit_heads where tenant_id = $1::uuid for update",
};
// A head that vanished while entries exist is tampering: starting anew would hide it.
const FIRST_HEAD = {
  name: "audit_first_head",
  text: `insert into audit_heads (tenant_id, seq, hash)
    select $1::uuid, 0, decode($2, 'hex') where not exists (select from audit_entries where tenant_id = $1::uuid)
    on conflict do nothing`,
};
const ROW_TYPE = { name: "audit_row_type", text: "select 'audit_traced_row'::regtype::oid::text as oid" };

const appendRows = (condition: string) => `head as (
      update audit_heads set seq = $5::bigint, hash = $6::bytea, updated_at = now()
      where tenant_id = $1::uuid and seq = $2::bigint and hash = $3::bytea${condition} returning 1
    ), written as (
    insert into audit_entries (tenant_id, ${ROW_COLUMNS.join(", ")})
    select $1::uuid, ${ROW_COLUMNS.map((name) => `entry.${name}`).join(", ")} from unnest($4::audit_traced_row[]) entry
    where exists (select from head) returning 1
    )
    select count(*)::text as written from written`;

/**
 * Entries and the new head in one statement: $1 tenant, $2 and $3 the head they follow, $4 the entries, $5 and $6 the new head.
 * Where the head is another one by now, nothing is written. Answers with how many were written.
 */
export const APPEND: Statement = { name: "audit_append_rows", text: `with ${appendRows("")}` };

/** The same where others must not wait: nothing is written either while somebody else holds the head. */
export const APPEND_IF_FREE: Statement = {
  name: "audit_append_rows_if_free",
  text: `with free as materialized (
      select from audit_heads where tenant_id = $1::uuid and seq = $2::bigint and hash = $3::bytea for update skip locked
    ), ${appendRows(" and exists (select from free)")}`,
};

export type WrittenBatch = LinkedRows & { readonly before: Tip };

/**
 * Appends entries of one tenant inside the caller's transaction. The lock on the head makes sequence numbers
 * gapless across processes and is held until the transaction ends, so this should be its last act.
 */
export async function writeBatch(
  run: RunSql,
  tenantId: string,
  entries: readonly PreparedEntry[],
): Promise<WrittenBatch> {
  const before = await lockHead(run, tenantId);
  const out = new WireWriter(entries.length * BYTES_PER_ROW);
  const linked = writeRows(out, await rowTypeOid(run), before, entries);
  const { seq, hash } = linked.tip;
  const values = [tenantId, String(before.seq), asBuffer(before.hash), out.written(), String(seq), asBuffer(hash)];
  const [done] = await run(APPEND, values);
  if (Number(done?.["written"]) !== entries.length)
    throw new Error("The head of the audit chain moved under its lock.");
  return { ...linked, before };
}

/** How this database numbers the type of a row. */
export async function rowTypeOid(run: RunSql): Promise<number> {
  const [row] = await run(ROW_TYPE, []);
  return Number(row?.["oid"]);
}

/** Keeps everybody else out of the chain until the transaction ends. */
export async function lockHead(run: RunSql, tenantId: string): Promise<Tip> {
  const [held] = await run(LOCK_HEAD, [tenantId]);
  if (held !== undefined) return toTip(held);
  await run(FIRST_HEAD, [tenantId, asBuffer(genesisTip(tenantId).hash).toString("hex")]);
  const [made] = await run(LOCK_HEAD, [tenantId]);
  if (made === undefined) throw new AppError("audit_unavailable", "The head of the audit chain is missing.");
  return toTip(made);
}

const toTip = (row: Readonly<Record<string, unknown>>): Tip => ({
  seq: Number(row["seq"]),
  hash: Buffer.from(String(row["hash"]), "hex"),
});

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
