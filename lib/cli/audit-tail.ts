import { setTimeout as sleep } from "node:timers/promises";
import { perform } from "@/lib/audit/perform";
import { searchEntries } from "@/lib/audit/search-entries";
import { ENTRY_COLUMNS, type EntryRow, toEntryView } from "@/lib/audit/views";
import { cliContext, tenantIdOf } from "@/lib/cli/cli-tenant";
import { closeDatabase, openDatabase } from "@/lib/db/open-database";
import { tenantSql } from "@/lib/db/sql";

const EVERY_MS = 500;
const CHUNK = 1000;

export type AuditTailOptions = {
  readonly tenant: string;
  readonly lines: string;
  readonly follow: boolean;
  readonly json?: boolean;
};

/** Prints entries in the order of the chain, and goes on until it is stopped. */
export async function auditTailCommand(options: AuditTailOptions): Promise<number> {
  await openDatabase();
  let stopped = false;
  process.once("SIGINT", () => {
    stopped = true;
  });
  try {
    const tenantId = await tenantIdOf(options.tenant);
    // Reading the trail is an act; this leaves its entry.
    await perform(searchEntries, cliContext(tenantId), { limit: 1 }, "audit tail");
    let after = Math.max(0, (await headOf(tenantId)) - Math.max(0, Number(options.lines) || 0));
    for (;;) {
      const rows = await entriesAfter(tenantId, after);
      for (const row of rows) process.stdout.write(`${options.json === true ? asJson(row) : asText(row)}\n`);
      after = Number(rows.at(-1)?.seq ?? after);
      if (stopped || (!options.follow && rows.length < CHUNK)) return 0;
      if (rows.length < CHUNK) await sleep(EVERY_MS);
    }
  } finally {
    await closeDatabase();
  }
}

async function headOf(tenantId: string): Promise<number> {
  const { rows } = await tenantSql(tenantId, (client) =>
    client.query<{ seq: string }>("select seq::text as seq from audit_heads where tenant_id = $1::uuid", [tenantId]),
  );
  return Number(rows[0]?.seq ?? 0);
}

async function entriesAfter(tenantId: string, seq: number): Promise<readonly EntryRow[]> {
  const { rows } = await tenantSql(tenantId, (client) =>
    client.query<EntryRow>(
      `select ${ENTRY_COLUMNS} from audit_entries e where e.tenant_id = $1::uuid and e.seq > $2::bigint
        order by e.seq limit ${CHUNK}`,
      [tenantId, String(seq)],
    ),
  );
  return rows;
}

const asJson = (row: EntryRow): string => Buffer.from(row.record).toString("utf8");

function asText(row: EntryRow): string {
  const { seq, ts, sentence } = toEntryView(row);
  // What others wrote into an entry must not steer the terminal.
  return `${String(seq).padStart(7)}  ${ts}  ${sentence.replaceAll(/\p{Cc}/gu, "�")}`;
}
