import { z } from "zod";
import { HIDE_ENDED_INTENTS, SqlValues, statedFilter, toConditions } from "@/lib/audit/entry-filter";
import { noteRead } from "@/lib/audit/read-note";
import { type EntryView, searchEntriesInput } from "@/lib/audit/schemas";
import { ENTRY_COLUMNS, type EntryRow, toEntryView } from "@/lib/audit/views";
import type { Page } from "@/lib/core/wire";
import { decodeCursor, encodeCursor } from "@/lib/db/cursor";
import { defineRead } from "@/lib/db/verbs";

const SEARCH_WINDOW_MS = 10 * 60_000;

/** Entries newest first. The same person searching again within ten minutes leaves one `trail.searched` entry. */
export const searchEntries = defineRead({
  permission: "audit:read",
  input: searchEntriesInput,
  run: async (tx, ctx, input): Promise<Page<EntryView>> => {
    const { limit, cursor, ...filter } = input;
    const sql = new SqlValues();
    const conditions = [
      `e.tenant_id = ${sql.add(ctx.tenantId, "uuid")}`,
      ...toConditions(filter, sql, Date.now()),
      ...(filter.phase === undefined ? [HIDE_ENDED_INTENTS] : []),
      ...(cursor === undefined ? [] : [after(cursor, sql)]),
    ];
    const text = `select ${ENTRY_COLUMNS} from audit_entries e where ${conditions.join(" and ")}
      order by e.ts desc, e.seq desc limit ${sql.add(String(limit + 1), "int")}`;
    const rows = await tx.$queryRawUnsafe<EntryRow[]>(text, ...sql.values);
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    const more = rows.length > limit && last !== undefined;
    const target = Object.entries(statedFilter(filter))
      .map(([name, value]) => `${name}:${value}`)
      .join(" ");
    await noteRead(tx, ctx, { eventType: "trail.searched", target, windowMs: SEARCH_WINDOW_MS, per: "" });
    return { items: page.map(toEntryView), nextCursor: more ? encodeCursor([last.ts, String(last.seq)]) : null };
  },
});

function after(cursor: string, sql: SqlValues): string {
  const [ts, seq] = decodeCursor(cursor, position);
  return `(e.ts, e.seq) < (${sql.add(ts, "timestamptz")}, ${sql.add(seq, "bigint")})`;
}

const position = z.tuple([z.iso.datetime(), z.string().regex(/^\d{1,15}$/)]);
