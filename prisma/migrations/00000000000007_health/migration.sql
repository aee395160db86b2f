-- A tool's definition is pinned: what is stored is what was approved, and what the server says otherwise waits beside it.
ALTER TABLE "server_tools"
  ADD COLUMN "approved_at" TIMESTAMPTZ(6) DEFAULT CURRENT_TIMESTAMP,
  ADD COLUMN "approved_by" TEXT,
  ADD COLUMN "held_definition" JSONB,
  ADD COLUMN "held_sha256" TEXT,
  ADD COLUMN "held_at" TIMESTAMPTZ(6),
  ADD COLUMN "rejected_at" TIMESTAMPTZ(6);

-- CreateTable
CREATE TABLE "server_health" (
    "tenant_id" UUID NOT NULL,
    "server_id" UUID NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'unknown',
    "reason_code" TEXT,
    "reason" TEXT,
    "since" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "failures" INTEGER NOT NULL DEFAULT 0,
    "failing_from" TIMESTAMPTZ(6),
    "checked_at" TIMESTAMPTZ(6),
    "latency_ms" DOUBLE PRECISION,
    "next_check_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "checked_by" UUID,

    CONSTRAINT "server_health_pkey" PRIMARY KEY ("tenant_id","server_id")
);

-- CreateTable
CREATE TABLE "profiles" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "slug" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT NOT NULL DEFAULT '',
    "mode" TEXT NOT NULL DEFAULT 'list',
    "tools" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "profiles_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateIndex
CREATE UNIQUE INDEX "profiles_tenant_id_slug_key" ON "profiles"("tenant_id", "slug");

ALTER TABLE "server_health" ADD CONSTRAINT "server_health_tenant_id_server_id_fkey"
  FOREIGN KEY ("tenant_id", "server_id") REFERENCES "servers"("tenant_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "profiles" ADD CONSTRAINT "profiles_tenant_id_fkey"
  FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

DO $force$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['server_health', 'profiles'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('REVOKE ALL ON %I FROM PUBLIC', name);
    EXECUTE format('CREATE POLICY own_tenant ON %I TO countersign_tenant
      USING (tenant_id = app_tenant_id()) WITH CHECK (tenant_id = app_tenant_id())', name);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO countersign_tenant', name);
  END LOOP;
END
$force$;

-- Whose turn it is to be asked: one question over all tenants instead of one for each, and nothing of what was answered.
CREATE POLICY platform_reads ON "server_health" FOR SELECT TO countersign_platform USING (true);
GRANT SELECT (tenant_id, server_id, next_check_at, checked_by) ON "server_health" TO countersign_platform;
