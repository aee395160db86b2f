import pg from "pg";

export type Probe = {
  readonly role: string;
  /** Value of app.tenant_id; null leaves it unset. */
  readonly tenant: string | null;
};

/** What got through, by table: `select(columns)`, `insert`, `update(columns)`, `delete`, `truncate`. */
export type Through = Readonly<Record<string, readonly string[]>>;

type Table = { readonly name: string; readonly columns: readonly string[]; readonly row: unknown };

/** "Not allowed" and "not a uuid". Any other failure means that the statement got past the lock. */
const REFUSED = new Set(["42501", "22P02"]);

/** Tables of the schema as the catalog has them, partitions included: a new table cannot be forgotten. */
export async function tablesOf(owner: pg.Client): Promise<readonly Table[]> {
  const { rows } = await owner.query<{ name: string; columns: string[] }>(
    `select c.relname as name, array_agg(a.attname::text order by a.attnum) as columns
       from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
      group by c.relname order by c.relname`,
  );
  const tables: Table[] = [];
  for (const { name, columns } of rows) {
    const sample = await owner.query<{ row: unknown }>(`select to_jsonb(t) as row from ${id(name)} t limit 1`);
    tables.push({ name, columns, row: sample.rows[0]?.row });
  }
  return tables;
}

/** One digest per table, to show that nothing changed. */
export async function fingerprint(owner: pg.Client): Promise<Readonly<Record<string, string>>> {
  const found: Record<string, string> = {};
  for (const { name } of await tablesOf(owner)) {
    const { rows } = await owner.query<{ digest: string }>(
      `select count(*) || ':' || coalesce(md5(string_agg(t::text, '|' order by t::text)), '') as digest from ${id(name)} t`,
    );
    found[name] = rows[0]?.digest ?? "";
  }
  return found;
}

/** Tries every way into every table as the runtime role. Each attempt is committed unless `keep` is false. */
export async function probe(owner: pg.Client, as: Probe, keep: boolean): Promise<Through> {
  const found: Record<string, string[]> = {};
  for (const table of await tablesOf(owner)) {
    const through: string[] = [];
    const attempt = (sql: string, values: unknown[] = []) => gotThrough(owner, as, keep, sql, values);
    const each = async (verb: string, sql: (column: string) => string) => {
      const open: string[] = [];
      for (const column of table.columns) if (await attempt(sql(id(column)))) open.push(column);
      if (open.length === table.columns.length) through.push(verb);
      else if (open.length > 0) through.push(`${verb}(${open.join(", ")})`);
    };
    await each("select", (column) => `select ${column} from ${id(table.name)}`);
    const insert = `insert into ${id(table.name)} select * from jsonb_populate_record(null::${id(table.name)}, $1)`;
    if (await attempt(insert, [JSON.stringify(table.row ?? {})])) through.push("insert");
    await each("update", (column) => `update ${id(table.name)} set ${column} = null`);
    if (await attempt(`delete from ${id(table.name)}`)) through.push("delete");
    if (await attempt(`truncate ${id(table.name)} cascade`)) through.push("truncate");
    if (through.length > 0) found[table.name] = through;
  }
  return found;
}

async function gotThrough(owner: pg.Client, as: Probe, keep: boolean, sql: string, values: unknown[]) {
  await owner.query("begin");
  await owner.query(`set local role ${id(as.role)}`);
  if (as.tenant !== null) await owner.query("select set_config('app.tenant_id', $1, true)", [as.tenant]);
  try {
    const done = await owner.query(sql, values);
    await owner.query(keep ? "commit" : "rollback");
    return sql.startsWith("truncate") || (done.rowCount ?? 0) > 0;
  } catch (cause) {
    await owner.query("rollback");
    return !REFUSED.has((cause as { code?: string }).code ?? "");
  }
}

const id = (name: string): string => pg.escapeIdentifier(name);
