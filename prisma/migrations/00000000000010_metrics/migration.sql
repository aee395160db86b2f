-- Figures about calls, by minute, hour and day. What they are made from is the trail's outcomes; what they cost to read
-- does not grow with the number of calls.
CREATE TABLE "call_minutes" (
    "tenant_id" UUID NOT NULL,
    "level" SMALLINT NOT NULL,
    "at" TIMESTAMPTZ(6) NOT NULL,
    "id" UUID NOT NULL,
    "server" TEXT NOT NULL DEFAULT '',
    "tool" TEXT NOT NULL DEFAULT '',
    "caller" TEXT NOT NULL DEFAULT '',
    "caller_name" TEXT NOT NULL DEFAULT '',
    "calls" BIGINT NOT NULL,
    "successes" BIGINT NOT NULL,
    "failures" BIGINT NOT NULL,
    "denied" BIGINT NOT NULL,
    "cancelled" BIGINT NOT NULL,
    "unknown" BIGINT NOT NULL,
    "reached" BIGINT NOT NULL,
    "reached_failures" BIGINT NOT NULL,
    "held_back" BIGINT NOT NULL,
    "unavailable" BIGINT NOT NULL,
    "cache_hits" BIGINT NOT NULL,
    "total_ms" DOUBLE PRECISION NOT NULL,
    "upstream_ms" DOUBLE PRECISION NOT NULL,
    "queue_ms" DOUBLE PRECISION NOT NULL,
    "min_ms" DOUBLE PRECISION,
    "max_ms" DOUBLE PRECISION,
    "buckets" SMALLINT[] NOT NULL DEFAULT '{}',
    "counts" BIGINT[] NOT NULL DEFAULT '{}',
    "error_codes" TEXT[] NOT NULL DEFAULT '{}',
    "error_counts" BIGINT[] NOT NULL DEFAULT '{}',

    CONSTRAINT "call_minutes_pkey" PRIMARY KEY ("tenant_id","level","at","id")
) PARTITION BY RANGE ("at");
CREATE TABLE "call_hours" (LIKE "call_minutes" INCLUDING DEFAULTS,
    CONSTRAINT "call_hours_pkey" PRIMARY KEY ("tenant_id","level","at","id")) PARTITION BY RANGE ("at");
CREATE TABLE "call_days" (LIKE "call_minutes" INCLUDING DEFAULTS,
    CONSTRAINT "call_days_pkey" PRIMARY KEY ("tenant_id","level","at","id")) PARTITION BY RANGE ("at");

-- CreateIndex
CREATE INDEX "call_minutes_tenant_id_server_tool_at_idx" ON "call_minutes"("tenant_id", "server", "tool", "at");
-- CreateIndex
CREATE INDEX "call_hours_tenant_id_server_tool_at_idx" ON "call_hours"("tenant_id", "server", "tool", "at");
-- CreateIndex
CREATE INDEX "call_days_tenant_id_server_tool_at_idx" ON "call_days"("tenant_id", "server", "tool", "at");

-- Up to where minutes have become hours, and hours days; and whose turn it is to go on.
CREATE TABLE "call_rollups" (
    "tenant_id" UUID NOT NULL,
    "hours_until" TIMESTAMPTZ(6) NOT NULL DEFAULT 'epoch',
    "days_until" TIMESTAMPTZ(6) NOT NULL DEFAULT 'epoch',
    "next_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "call_rollups_pkey" PRIMARY KEY ("tenant_id")
);
-- Like the trail, figures refer to no row: to drop an old partition must not lock the table of tenants.
ALTER TABLE "call_rollups" ADD CONSTRAINT "call_rollups_tenant_id_fkey"
  FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

DO $force$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['call_minutes', 'call_hours', 'call_days', 'call_rollups'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('REVOKE ALL ON %I FROM PUBLIC', name);
    EXECUTE format('CREATE POLICY own_tenant ON %I TO countersign_tenant
      USING (tenant_id = app_tenant_id()) WITH CHECK (tenant_id = app_tenant_id())', name);
  END LOOP;
END
$force$;
GRANT SELECT, INSERT, UPDATE ON "call_minutes", "call_rollups" TO countersign_tenant;
-- An hour or a day is made anew from what it consists of.
GRANT SELECT, INSERT, DELETE ON "call_hours", "call_days" TO countersign_tenant;

-- Minutes by day, hours by month, days by year. Makes the missing partitions (UTC) between two days; returns how many.
CREATE FUNCTION ensure_call_partitions(from_day date, to_day date) RETURNS integer
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
  kind record;
  first date;
  upto date;
  name text;
  made integer := 0;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('countersign.partitions'));
  FOR kind IN SELECT * FROM (VALUES ('call_minutes', 'day', 'YYYY_MM_DD'), ('call_hours', 'month', 'YYYY_MM'),
    ('call_days', 'year', 'YYYY')) AS k(parent, unit, pattern)
  LOOP
    first := date_trunc(kind.unit, from_day)::date;
    WHILE first <= to_day LOOP
      upto := (first + ('1 ' || kind.unit)::interval)::date;
      name := kind.parent || '_' || to_char(first, kind.pattern);
      IF to_regclass(name) IS NULL THEN
        EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
          name, kind.parent, first::text || ' 00:00:00+00', upto::text || ' 00:00:00+00');
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        made := made + 1;
      END IF;
      first := upto;
    END LOOP;
  END LOOP;
  RETURN made;
END
$$;
REVOKE ALL ON FUNCTION ensure_call_partitions(date, date) FROM PUBLIC;

-- Removes the partitions that lie wholly before a day, and returns how many: the only way figures are ever removed.
CREATE FUNCTION drop_call_partitions(parent text, before_day date) RETURNS integer
LANGUAGE plpgsql SET search_path = public, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
  old record;
  dropped integer := 0;
BEGIN
  IF parent NOT IN ('call_minutes', 'call_hours', 'call_days') THEN
    RAISE EXCEPTION 'Not a table of figures: %.', parent;
  END IF;
  FOR old IN
    SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = parent::regclass
      AND (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'TO \(''([^'']+)''\)'))[1]::timestamptz
        <= before_day::timestamp AT TIME ZONE 'UTC'
  LOOP
    EXECUTE format('DROP TABLE %I', old.relname);
    dropped := dropped + 1;
  END LOOP;
  RETURN dropped;
END
$$;
REVOKE ALL ON FUNCTION drop_call_partitions(text, date) FROM PUBLIC;

SELECT ensure_call_partitions((now() AT TIME ZONE 'utc' - interval '1 day')::date, (now() AT TIME ZONE 'utc' + interval '2 days')::date);

-- The middle of a bucket in milliseconds; the same formula as in lib/metrics/histogram.ts.
CREATE FUNCTION call_bucket_ms(bucket integer) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN 2 * power(1.02::double precision, bucket) / 2.02;
