-- What a circuit was when: each change of state, told once. The trail has the openings and closings as entries; here are the
-- trials between them too, so that a chart can be drawn without reading the trail.
CREATE TABLE "circuit_changes" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "at" TIMESTAMPTZ(6) NOT NULL,
    "server" TEXT NOT NULL,
    "tool" TEXT NOT NULL DEFAULT '',
    "state" TEXT NOT NULL,
    "reason" TEXT NOT NULL DEFAULT '',
    "by" TEXT,
    "process" UUID,

    CONSTRAINT "circuit_changes_pkey" PRIMARY KEY ("tenant_id","id"),
    CONSTRAINT "circuit_changes_state_check" CHECK (state IN ('closed', 'open', 'half-open', 'forced-open', 'disabled'))
);
-- CreateIndex
CREATE INDEX "circuit_changes_tenant_id_server_tool_at_idx" ON "circuit_changes"("tenant_id", "server", "tool", "at");

ALTER TABLE "circuit_changes" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "circuit_changes" FORCE ROW LEVEL SECURITY;
REVOKE ALL ON "circuit_changes" FROM PUBLIC;
CREATE POLICY own_tenant ON "circuit_changes" TO countersign_tenant
  USING (tenant_id = app_tenant_id()) WITH CHECK (tenant_id = app_tenant_id());
GRANT SELECT, INSERT, DELETE ON "circuit_changes" TO countersign_tenant;

-- Where the time went besides the server and the queue, and what was held back by what.
DO $figures$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['call_minutes', 'call_hours', 'call_days'] LOOP
    EXECUTE format('ALTER TABLE %I
      ADD COLUMN "queued" BIGINT NOT NULL DEFAULT 0,
      ADD COLUMN "overloaded" BIGINT NOT NULL DEFAULT 0,
      ADD COLUMN "limited" BIGINT NOT NULL DEFAULT 0,
      ADD COLUMN "policy_ms" DOUBLE PRECISION NOT NULL DEFAULT 0,
      ADD COLUMN "audit_ms" DOUBLE PRECISION NOT NULL DEFAULT 0,
      ADD COLUMN "outcome_ms" DOUBLE PRECISION NOT NULL DEFAULT 0', name);
  END LOOP;
END
$figures$;

-- Since when calls of a tenant are counted: before that, no figures does not mean no calls.
ALTER TABLE "call_rollups" ADD COLUMN "recorded_from" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP;

-- The light of every tenant, from counts of whole tenants: no name of a server, tool or caller, and nobody's rows besides.
CREATE POLICY platform_reads ON "call_minutes" FOR SELECT TO countersign_platform USING (level = 0);
GRANT SELECT (tenant_id, level, at, reached, reached_failures, held_back, total_ms) ON "call_minutes" TO countersign_platform;

-- What people and the gateway itself changed is a small part of the trail, and what charts are marked with.
CREATE INDEX audit_entries_acts_idx ON audit_entries (tenant_id, ts DESC, seq DESC) WHERE phase IN ('admin', 'system');
