import { z } from "zod";
import { genesisTip, missingText, type Tip } from "@/lib/audit/chain";
import type { VerifyReport } from "@/lib/audit/schemas";
import { checkStored, STORED_COLUMNS, type StoredEntry } from "@/lib/audit/stored-entry";
import { singleton } from "@/lib/core/singleton";
import type { TenantTx } from "@/lib/db/in-tenant";
import { tenantSql } from "@/lib/db/sql";
import { defineWrite } from "@/lib/db/verbs";

/** Rows between two breaths: other requests of this process get their turn in between. */
const CHUNK = 500;
/** The smallest number that PostgreSQL has: whoever inserts an entry may give it one that no entry of ours would have. */
const BEFORE_ALL = "-9223372036854775808";

type Head = { readonly seq: number; readonly hash: string; readonly lastSeq: number };
type Walk = { tip: Tip; last: StoredEntry | null; readonly open: Set<string>; unknown: number };

/** Walks the whole chain of the tenant; that somebody did is an entry of it. */
export const verifyTrail = defineWrite({
  permission: "audit:read",
  input: z.object({}),
  prepare: (ctx): Promise<VerifyReport> => walkTrail(ctx.tenantId),
  run: async (tx, { tenantId }, _input, report) => {
    await keepVerdict(tx, tenantId, report);
    return { result: report, audit: { action: "trail.verified", target: verdictText(report) } };
  },
});

/** The last word on the chain, so that a broken one is not forgotten with the page that showed it. */
async function keepVerdict(tx: TenantTx, tenantId: string, { firstBreak }: VerifyReport): Promise<void> {
  const verifiedAt = new Date();
  const before = await tx.auditVerdict.findUnique({ where: { tenantId }, select: { brokenSince: true } });
  const verdict = {
    verifiedAt,
    brokenSince: firstBreak === null ? null : (before?.brokenSince ?? verifiedAt),
    problem: firstBreak === null ? null : `Entry ${firstBreak.seq}: ${firstBreak.problem}`,
  };
  await tx.auditVerdict.upsert({ where: { tenantId }, create: { tenantId, ...verdict }, update: verdict });
}

const verdictText = ({ entries, firstBreak }: VerifyReport): string =>
  firstBreak === null ? `${entries} entries, intact` : `broken at entry ${firstBreak.seq}, ${firstBreak.problem}`;

const running = singleton("audit.walks", () => new Map<string, Promise<VerifyReport>>());

/** Checks every stored entry of a tenant from the genesis to the head. Asked twice at once, it walks once. */
export function walkTrail(tenantId: string): Promise<VerifyReport> {
  const found = running.get(tenantId);
  if (found !== undefined) return found;
  const walk = walkChain(tenantId).finally(() => running.delete(tenantId));
  running.set(tenantId, walk);
  return walk;
}

async function walkChain(tenantId: string): Promise<VerifyReport> {
  const startedAt = performance.now();
  const head = await readHead(tenantId);
  const walk: Walk = { tip: genesisTip(tenantId), last: null, open: new Set(), unknown: 0 };
  const firstBreak = (await firstStoredBreak(tenantId, head, walk)) ?? checkHead(tenantId, head, walk);
  return {
    valid: firstBreak === null,
    entries: walk.tip.seq,
    fromSeq: walk.tip.seq === 0 ? 0 : 1,
    toSeq: walk.tip.seq,
    head: Buffer.from(walk.tip.hash).toString("hex"),
    firstBreak,
    openIntents: walk.open.size,
    unknownOutcomes: walk.unknown,
    tookMs: Math.round(performance.now() - startedAt),
  };
}

/** Head and last row as one statement sees them: both are written in one transaction, so they always agree. */
async function readHead(tenantId: string): Promise<Head> {
  const { rows } = await tenantSql(tenantId, (client) =>
    client.query<{ seq: string | null; hash: string | null; last_seq: string | null }>(
      `select h.seq::text as seq, encode(h.hash, 'hex') as hash, l.seq::text as last_seq
        from (select max(seq) as seq from audit_entries where tenant_id = $1) l
        left join audit_heads h on h.tenant_id = $1`,
      [tenantId],
    ),
  );
  return { seq: Number(rows[0]?.seq ?? 0), hash: rows[0]?.hash ?? "", lastSeq: Number(rows[0]?.last_seq ?? 0) };
}

async function firstStoredBreak(tenantId: string, head: Head, walk: Walk): Promise<VerifyReport["firstBreak"]> {
  const until = Math.max(head.seq, head.lastSeq);
  for (;;) {
    const rows = await readChunk(tenantId, walk.last, until);
    for (const row of rows) {
      const broken = checkStored(walk.tip, row);
      if (broken !== null) return { ...broken, id: broken.seq === Number(row.seq) ? row.event_id : null };
      take(walk, row);
    }
    if (rows.length < CHUNK) return null;
  }
}

/** In the order of the primary key, time included: two rows of one sequence number must both be seen. */
async function readChunk(tenantId: string, last: StoredEntry | null, until: number): Promise<readonly StoredEntry[]> {
  const { rows } = await tenantSql(tenantId, (client) =>
    client.query<StoredEntry>(
      `select ${STORED_COLUMNS} from audit_entries e
        where e.tenant_id = $1 and (e.seq, e.ts) > ($2::bigint, $3::timestamptz) and e.seq <= $4::bigint
        order by e.seq, e.ts limit ${CHUNK}`,
      [tenantId, last?.seq ?? BEFORE_ALL, last?.ts ?? "-infinity", String(until)],
    ),
  );
  return rows;
}

function take(walk: Walk, row: StoredEntry): void {
  walk.tip = { seq: Number(row.seq), hash: Buffer.from(row.hash, "hex") };
  walk.last = row;
  if (row.call_id === null) return;
  if (row.phase === "intent") walk.open.add(row.call_id);
  else if (row.phase === "outcome") {
    walk.open.delete(row.call_id);
    if (row.outcome === "unknown") walk.unknown += 1;
  }
}

/** The chain shows what is wrong within it; only the head shows where it ends. */
function checkHead(tenantId: string, head: Head, walk: Walk): VerifyReport["firstBreak"] {
  const { tip } = walk;
  if (head.seq > tip.seq) {
    return {
      seq: tip.seq + 1,
      id: null,
      problem: `${missingText(tip.seq + 1, head.seq)} at the end: the head says ${head.seq}`,
    };
  }
  const expected = tip.seq === 0 && head.hash === "" ? "" : Buffer.from(tip.hash).toString("hex");
  if (head.seq < tip.seq || head.hash !== expected) {
    const id = walk.last?.event_id ?? null;
    return { seq: tip.seq, id, problem: `the head of tenant ${tenantId} is not the head of its entries` };
  }
  return null;
}
