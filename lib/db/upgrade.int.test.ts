import { describe, expect, it } from "vitest";
import { databaseUrl } from "@/lib/db/client";
import { migrate, readMigrations } from "@/lib/db/migrate";
import { onServer, withFreshDatabase } from "@/lib/testing/fresh-database";
import { withTestDatabase } from "@/lib/testing/test-database";

withTestDatabase();

/** Everything of the schema that matters, as text: columns, constraints, policies, grants, triggers, functions. */
const SHAPE = `
  select 'column ' || attrelid::regclass || '.' || attname || ' ' || format_type(atttypid, atttypmod) || ' ' || attnotnull as line
    from pg_attribute join pg_class c on c.oid = attrelid
   where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and attnum > 0 and not attisdropped
  union all select 'constraint ' || conrelid::regclass || ' ' || pg_get_constraintdef(oid)
    from pg_constraint where connamespace = 'public'::regnamespace
  union all select 'index ' || indexdef from pg_indexes where schemaname = 'public'
  union all select 'policy ' || tablename || ' ' || policyname || ' ' || roles::text || ' ' || cmd || ' '
    || coalesce(qual, '') || ' ' || coalesce(with_check, '') from pg_policies where schemaname = 'public'
  union all select 'table ' || relname || ' ' || relrowsecurity || relforcerowsecurity || coalesce(relacl::text, '')
    from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
  union all select 'trigger ' || tgrelid::regclass || ' ' || pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
  union all select 'function ' || p.oid::regprocedure || ' ' || md5(pg_get_functiondef(p.oid))
    from pg_proc p where pronamespace = 'public'::regnamespace
  order by 1`;

const shapeOf = async (url: string): Promise<string> =>
  (await onServer(url, SHAPE)).rows.map(({ line }) => line as string).join("\n");

const next = (sql: string) => ({ name: "99999999999999_next", sql });

const ID = "00000000-0000-4000-8000-000000000001";
const ONE_OUTCOME = "00000000000015_one_outcome";

describe("migrate", () => {
  it("reaches the same schema from every earlier one", async () => {
    const all = await readMigrations();
    expect(all.length).toBeGreaterThan(0);
    const straight = await withFreshDatabase(databaseUrl(), async (url) => {
      expect(await migrate(url)).toEqual(all.map(({ name }) => name));
      return shapeOf(url);
    });
    expect(straight).toContain("policy members own_tenant");
    for (let count = 1; count <= all.length; count += 1) {
      await withFreshDatabase(databaseUrl(), async (url) => {
        await migrate(url, all.slice(0, count));
        expect(await migrate(url)).toEqual(all.slice(count).map(({ name }) => name));
        expect(await shapeOf(url)).toBe(straight);
      });
    }
    // Each migration more is a database more, and a busy machine takes seconds for each.
  }, 240_000);

  it("lets second outcomes that are stored stand, and takes no more of them", async () => {
    const all = await readMigrations();
    const outcome = (seq: number, at: string) => `alter table audit_entries no force row level security;
      insert into audit_entries (tenant_id, seq, ts, event_id, gateway_id, call_id, phase, event_type, outcome,
        actor_type, actor_id, actor_name, request_id, search_text, record, record_sha256, prev_hash, hash)
      values ('${ID}', ${seq}, ${at}, gen_random_uuid(), '${ID}', '${ID}', 'outcome', 'tool_call.finished', 'success',
        'agent', 'a', 'a', 'r', '', '', '', '', '');
      alter table audit_entries force row level security`;
    await withFreshDatabase(databaseUrl(), async (url) => {
      await migrate(
        url,
        all.filter(({ name }) => name < ONE_OUTCOME),
      );
      await onServer(url, outcome(1, "now() - interval '1 second'"));
      await onServer(url, outcome(2, "now() - interval '1 second'"));
      expect(await migrate(url)).toContain(ONE_OUTCOME);
      expect((await onServer(url, "select count(*)::int as stored from audit_entries")).rows).toEqual([{ stored: 2 }]);
      await onServer(url, outcome(3, "now() + interval '1 second'"));
      await expect(onServer(url, outcome(4, "now() + interval '1 second'"))).rejects.toMatchObject({
        constraint: expect.stringMatching(/_call_idx_new$/),
      });
    });
  });

  it("changes nothing when there is nothing to do, and keeps what is stored", async () => {
    await withFreshDatabase(databaseUrl(), async (url) => {
      await migrate(url);
      await onServer(url, "insert into gateway_processes (id, lock_key, version) values (gen_random_uuid(), 1, 'old')");
      const before = await shapeOf(url);
      expect(await migrate(url)).toEqual([]);
      expect(await shapeOf(url)).toBe(before);
      const all = await readMigrations();
      expect(await migrate(url, [...all, next("create table later (id int); -- fine; really")])).toEqual([
        "99999999999999_next",
      ]);
      expect((await onServer(url, "select version from gateway_processes")).rows).toEqual([{ version: "old" }]);
    });
  });

  it("lets two processes that start together apply each migration once", async () => {
    await withFreshDatabase(databaseUrl(), async (url) => {
      const applied = await Promise.all([migrate(url), migrate(url), migrate(url)]);
      expect(applied.flat()).toEqual((await readMigrations()).map(({ name }) => name));
    });
  });

  it("leaves nothing of a migration that failed, and takes the repaired one", async () => {
    await withFreshDatabase(databaseUrl(), async (url) => {
      const all = await readMigrations();
      await migrate(url);
      const before = await shapeOf(url);
      const broken = next("create table later (id int); select 1 / 0; create table never (id int);");
      await expect(migrate(url, [...all, broken])).rejects.toThrow(/division by zero/);
      expect(await shapeOf(url)).toBe(before);
      expect(await migrate(url, all)).toEqual([]);
      expect(await migrate(url, [...all, next("create table later (id int);")])).toEqual(["99999999999999_next"]);
    });
  });

  it("refuses a database that is newer, or whose past was rewritten", async () => {
    await withFreshDatabase(databaseUrl(), async (url) => {
      const all = await readMigrations();
      await migrate(url, [...all, next("create table later (id int);")]);
      await expect(migrate(url)).rejects.toThrow(/99999999999999_next is newer than this program/);
      const rewritten = all.map(({ name, sql }) => ({ name, sql: `${sql} ` }));
      await expect(migrate(url, [...rewritten, next("create table later (id int);")])).rejects.toThrow(/was changed/);
    });
  });
});
