import type pg from "pg";
import { RefusedDatabase } from "@/lib/db/refused-database";

export const RUNTIME_ROLES = ["countersign_tenant", "countersign_platform"] as const;

type Queryable = Pick<pg.Pool, "query">;
type Check = (db: Queryable) => Promise<readonly string[]>;

const OLDEST_VERSION = 150_000;

/** Refuses a server that cannot be trusted with the trail, before anything is written to it. */
export async function checkServer(db: Queryable): Promise<void> {
  await refuseIfAny(db, [tooOld, unsafeSettings]);
}

/** Refuses a schema in which row security would not hold. Runs after the migrations. */
export async function checkSchema(db: Queryable): Promise<void> {
  await refuseIfAny(db, [unusableRoles, powerfulRoles, uncoveredTables]);
}

async function refuseIfAny(db: Queryable, checks: readonly Check[]): Promise<void> {
  const problems: string[] = [];
  for (const check of checks) problems.push(...(await check(db)));
  if (problems.length > 0) throw new RefusedDatabase(problems);
}

const tooOld: Check = async (db) => {
  const { rows } = await db.query<{ number: number; text: string }>(
    "select current_setting('server_version_num')::int as number, current_setting('server_version') as text",
  );
  const version = rows[0];
  if (version === undefined || version.number >= OLDEST_VERSION) return [];
  return [`PostgreSQL ${version.text} is too old; 15 or newer is needed`];
};

/** Where a setting came from, and the statement that takes it back. */
const REMEDIES: Readonly<Record<string, string>> = {
  database: "set for this database: ALTER DATABASE … RESET",
  user: "set for this login: ALTER ROLE … RESET",
  "database user": "set for this login in this database: ALTER ROLE … IN DATABASE … RESET",
  client: "set by DATABASE_URL or PGOPTIONS",
};

const unsafeSettings: Check = async (db) => {
  const { rows } = await db.query<{ name: string; source: string }>(
    "select name, source from pg_settings where name in ('fsync', 'synchronous_commit') and setting = 'off' order by name",
  );
  return rows.map(({ name, source }) => {
    const remedy = REMEDIES[source] ?? "set for the whole server: postgresql.conf or ALTER SYSTEM";
    return `${name} is off (${remedy}): acknowledged audit entries would be lost in a crash`;
  });
};

const unusableRoles: Check = async (db) => {
  const { rows } = await db.query<{ role: string; usable: boolean | null }>(
    `select wanted as role,
            case when r.oid is null then null
                 when current_setting('server_version_num')::int >= 160000 then pg_has_role(current_user, r.oid, 'SET')
                 else pg_has_role(current_user, r.oid, 'MEMBER') end as usable
       from unnest($1::text[]) wanted left join pg_roles r on r.rolname = wanted`,
    [RUNTIME_ROLES],
  );
  return rows
    .filter(({ usable }) => usable !== true)
    .map(({ role, usable }) =>
      usable === null ? `the role ${role} is missing` : `this login may not act as ${role}: GRANT ${role} TO the login`,
    );
};

/** Anything a runtime role is, or could become by SET ROLE. */
const powerfulRoles: Check = async (db) => {
  const { rows } = await db.query<{ role: string; other: string; power: string }>(
    `select runtime.rolname as role, other.rolname as other,
            case when other.rolsuper then 'is superuser'
                 when other.rolbypassrls then 'can bypass row security'
                 when other.rolcreaterole then 'can give itself other roles'
                 when other.rolcanlogin and other.oid = runtime.oid then 'can log in'
                 else 'owns ' || (select min(c.relname) from pg_class c
                                   where c.relowner = other.oid and c.relnamespace = 'public'::regnamespace
                                     and c.relkind in ('r', 'p')) end as power
       from pg_roles runtime join pg_roles other on pg_has_role(runtime.oid, other.oid, 'MEMBER')
      where runtime.rolname = any($1::text[])
      order by 1, 2`,
    [RUNTIME_ROLES],
  );
  return rows
    .filter(({ power }) => power !== null)
    .map(({ role, other, power }) =>
      role === other ? `the role ${role} ${power}` : `the role ${role} can become ${other}, which ${power}`,
    );
};

/** Tables a runtime role could reach without row security, and schemas it could put its own tables into. */
const uncoveredTables: Check = async (db) => {
  const { rows } = await db.query<{ problem: string }>(
    `select format('table %s has no forced row security, and %s can reach it', c.relname, r.rolname) as problem
       from pg_class c cross join pg_roles r
      where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and r.rolname = any($1::text[])
        and not (c.relrowsecurity and c.relforcerowsecurity)
        and (has_table_privilege(r.oid, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')
             or has_any_column_privilege(r.oid, c.oid, 'SELECT, INSERT, UPDATE'))
     union all
     select format('%s can create tables in schema public: REVOKE CREATE ON SCHEMA public FROM PUBLIC', r.rolname)
       from pg_roles r where r.rolname = any($1::text[]) and has_schema_privilege(r.oid, 'public', 'CREATE')
      order by 1`,
    [RUNTIME_ROLES],
  );
  return rows.map(({ problem }) => problem);
};
