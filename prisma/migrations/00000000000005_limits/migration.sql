-- Limits, kill switches, and what is decided per tool: retries and cached answers.
ALTER TABLE "servers" ADD COLUMN "retry_policy" TEXT NOT NULL DEFAULT 'read_only';
ALTER TABLE "servers" ADD CONSTRAINT "servers_retry_policy_check" CHECK (retry_policy IN ('off', 'read_only', 'idempotent'));

CREATE TABLE "tool_settings" (
    "tenant_id" UUID NOT NULL,
    "server_id" UUID NOT NULL,
    "tool" TEXT NOT NULL,
    "cache_ttl_ms" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "tool_settings_pkey" PRIMARY KEY ("tenant_id", "server_id", "tool"),
    CONSTRAINT "tool_settings_cache_ttl_ms_check" CHECK (cache_ttl_ms BETWEEN 0 AND 3600000)
);
ALTER TABLE "tool_settings" ADD CONSTRAINT "tool_settings_tenant_id_server_id_fkey"
  FOREIGN KEY ("tenant_id", "server_id") REFERENCES "servers"("tenant_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

CREATE TABLE "rate_limits" (
    "tenant_id" UUID NOT NULL,
    "target" TEXT NOT NULL,
    "per_second" INTEGER NOT NULL,
    "changed_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "rate_limits_pkey" PRIMARY KEY ("tenant_id", "target"),
    CONSTRAINT "rate_limits_per_second_check" CHECK (per_second BETWEEN 1 AND 100000)
);
ALTER TABLE "rate_limits" ADD CONSTRAINT "rate_limits_tenant_id_fkey"
  FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

CREATE TABLE "kill_switches" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "target" TEXT NOT NULL,
    "reason" TEXT NOT NULL DEFAULT '',
    "thrown_by" TEXT NOT NULL,
    "thrown_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "lifted_at" TIMESTAMPTZ(6),
    "lifted_by" TEXT,

    CONSTRAINT "kill_switches_pkey" PRIMARY KEY ("tenant_id", "id"),
    CONSTRAINT "kill_switches_kind_check" CHECK (kind IN ('agent', 'tool', 'server', 'tenant'))
);
ALTER TABLE "kill_switches" ADD CONSTRAINT "kill_switches_tenant_id_fkey"
  FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
-- A target is stopped once; lifting it must not leave a second switch behind.
CREATE UNIQUE INDEX "kill_switches_thrown_once" ON "kill_switches" ("tenant_id", "kind", "target") WHERE lifted_at IS NULL;

DO $limits$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['tool_settings', 'rate_limits', 'kill_switches'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('REVOKE ALL ON %I FROM PUBLIC', name);
    EXECUTE format('CREATE POLICY own_tenant ON %I TO countersign_tenant
      USING (tenant_id = app_tenant_id()) WITH CHECK (tenant_id = app_tenant_id())', name);
  END LOOP;
END
$limits$;
GRANT SELECT, INSERT, UPDATE, DELETE ON tool_settings, rate_limits TO countersign_tenant;
-- Who stopped what, and why, stays; only lifting is added.
GRANT SELECT, INSERT, UPDATE (lifted_at, lifted_by) ON kill_switches TO countersign_tenant;
