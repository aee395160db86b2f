-- What is watched in a tenant, each time it was not as it should be, and what happened about it.
CREATE TABLE "alert_rules" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "severity" TEXT NOT NULL,
    "enabled" BOOLEAN NOT NULL DEFAULT true,
    "watch" TEXT,
    "metric" TEXT,
    "threshold" DOUBLE PRECISION,
    "server" TEXT,
    "tool" TEXT,
    "window_minutes" INTEGER NOT NULL DEFAULT 5,
    "min_calls" INTEGER NOT NULL DEFAULT 20,
    "hold_minutes" INTEGER NOT NULL DEFAULT 0,
    "version" INTEGER NOT NULL DEFAULT 1,
    "updated_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "alert_rules_pkey" PRIMARY KEY ("tenant_id","id"),
    CONSTRAINT "alert_rules_severity_check" CHECK (severity IN ('warning', 'critical')),
    CONSTRAINT "alert_rules_metric_check" CHECK (metric IN ('p95_ms', 'error_rate', 'availability')),
    CONSTRAINT "alert_rules_kind_check" CHECK ((watch IS NULL) = (metric IS NOT NULL) AND (metric IS NULL) = (threshold IS NULL)),
    CONSTRAINT "alert_rules_tool_check" CHECK (tool IS NULL OR server IS NOT NULL),
    CONSTRAINT "alert_rules_window_check" CHECK (window_minutes BETWEEN 1 AND 60 AND hold_minutes BETWEEN 0 AND 60)
);
CREATE UNIQUE INDEX "alert_rules_one_per_watch" ON "alert_rules" ("tenant_id", "watch") WHERE watch IS NOT NULL;

-- An alert says for itself what rule it was of: the rule may be changed or deleted afterwards.
CREATE TABLE "alerts" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "rule_id" UUID NOT NULL,
    "rule_name" TEXT NOT NULL,
    "severity" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "server" TEXT,
    "tool" TEXT,
    "target" TEXT,
    "metric" TEXT,
    "watch" TEXT,
    "threshold" DOUBLE PRECISION,
    "value" DOUBLE PRECISION,
    "worst" DOUBLE PRECISION,
    "calls" INTEGER,
    "callers_hit" INTEGER,
    "reason" TEXT NOT NULL,
    "since" TIMESTAMPTZ(6) NOT NULL,
    "fired_at" TIMESTAMPTZ(6),
    "resolved_at" TIMESTAMPTZ(6),
    "well_rounds" INTEGER NOT NULL DEFAULT 0,
    "quiet_since" TIMESTAMPTZ(6),
    "acknowledged_at" TIMESTAMPTZ(6),
    "acknowledged_by" TEXT,
    "acknowledged_note" TEXT,

    CONSTRAINT "alerts_pkey" PRIMARY KEY ("tenant_id","id"),
    CONSTRAINT "alerts_severity_check" CHECK (severity IN ('warning', 'critical')),
    CONSTRAINT "alerts_state_check" CHECK (state IN ('pending', 'firing', 'resolved')),
    CONSTRAINT "alerts_times_check" CHECK ((state = 'resolved') = (resolved_at IS NOT NULL) AND (state <> 'firing' OR fired_at IS NOT NULL)),
    CONSTRAINT "alerts_acknowledged_check" CHECK ((acknowledged_at IS NULL) = (acknowledged_by IS NULL))
);
-- A rule is broken once for a subject at a time, whoever finds out and however often.
CREATE UNIQUE INDEX "alerts_one_open" ON "alerts" ("tenant_id", "rule_id", "subject") WHERE state <> 'resolved';
CREATE INDEX "alerts_by_end" ON "alerts" ("tenant_id", "resolved_at" DESC, "id" DESC) WHERE state = 'resolved';

CREATE TABLE "alert_events" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "alert_id" UUID NOT NULL,
    "at" TIMESTAMPTZ(6) NOT NULL,
    "what" TEXT NOT NULL,
    "who" TEXT,
    "text" TEXT NOT NULL,

    CONSTRAINT "alert_events_pkey" PRIMARY KEY ("tenant_id","id"),
    CONSTRAINT "alert_events_what_check" CHECK (what IN ('pending', 'firing', 'resolved', 'acknowledged', 'note'))
);
-- CreateIndex
CREATE INDEX "alert_events_tenant_id_alert_id_at_idx" ON "alert_events"("tenant_id", "alert_id", "at");

-- What only one process can see: its circuits, and whether the trail takes its entries. It is told anew while it lasts.
CREATE TABLE "alert_signals" (
    "tenant_id" UUID NOT NULL,
    "watch" TEXT NOT NULL,
    "server" TEXT NOT NULL DEFAULT '',
    "tool" TEXT NOT NULL DEFAULT '',
    "process_id" UUID NOT NULL,
    "generation" INTEGER NOT NULL DEFAULT 0,
    "since" TIMESTAMPTZ(6) NOT NULL,
    "seen_at" TIMESTAMPTZ(6) NOT NULL,
    "reason" TEXT NOT NULL,

    CONSTRAINT "alert_signals_pkey" PRIMARY KEY ("tenant_id","watch","server","tool","process_id")
);

-- Whose turn it is to be judged. A tenant that has a turn has been given its first rules.
CREATE TABLE "alert_turns" (
    "tenant_id" UUID NOT NULL,
    "next_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "alert_turns_pkey" PRIMARY KEY ("tenant_id")
);

-- What the last verification of a chain said.
CREATE TABLE "audit_verdicts" (
    "tenant_id" UUID NOT NULL,
    "verified_at" TIMESTAMPTZ(6) NOT NULL,
    "broken_since" TIMESTAMPTZ(6),
    "problem" TEXT,

    CONSTRAINT "audit_verdicts_pkey" PRIMARY KEY ("tenant_id")
);

ALTER TABLE "alert_rules" ADD CONSTRAINT "alert_rules_tenant_id_fkey"
  FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "alerts" ADD CONSTRAINT "alerts_tenant_id_fkey"
  FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "alert_events" ADD CONSTRAINT "alert_events_tenant_id_alert_id_fkey"
  FOREIGN KEY ("tenant_id", "alert_id") REFERENCES "alerts"("tenant_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "alert_signals" ADD CONSTRAINT "alert_signals_tenant_id_fkey"
  FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "alert_turns" ADD CONSTRAINT "alert_turns_tenant_id_fkey"
  FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "audit_verdicts" ADD CONSTRAINT "audit_verdicts_tenant_id_fkey"
  FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

DO $force$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['alert_rules', 'alerts', 'alert_events', 'alert_signals', 'alert_turns', 'audit_verdicts'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('REVOKE ALL ON %I FROM PUBLIC', name);
    EXECUTE format('CREATE POLICY own_tenant ON %I TO countersign_tenant
      USING (tenant_id = app_tenant_id()) WITH CHECK (tenant_id = app_tenant_id())', name);
  END LOOP;
END
$force$;
GRANT SELECT, INSERT, UPDATE, DELETE ON "alert_rules", "alert_signals" TO countersign_tenant;
GRANT SELECT, INSERT, UPDATE ON "alert_turns", "audit_verdicts" TO countersign_tenant;
-- What an alert was about stays as it was; only how it stands is carried on. Its history is only ever added to.
GRANT SELECT, INSERT, UPDATE (state, value, worst, calls, callers_hit, reason, fired_at, resolved_at, well_rounds,
  quiet_since, acknowledged_at, acknowledged_by, acknowledged_note) ON "alerts" TO countersign_tenant;
GRANT SELECT, INSERT ON "alert_events" TO countersign_tenant;

-- Whose turn it is: one question over all tenants instead of one for each.
CREATE POLICY platform_reads ON "alert_turns" FOR SELECT TO countersign_platform USING (true);
GRANT SELECT ON "alert_turns" TO countersign_platform;

-- Everybody who reads figures reads alerts. The owner of the table is bound by its policies, too, but for this moment.
ALTER TABLE "roles" NO FORCE ROW LEVEL SECURITY;
UPDATE "roles" SET permissions = permissions || 'alerts:read'::text
  WHERE built_in AND slug IN ('compliance-officer', 'developer', 'viewer') AND NOT 'alerts:read' = ANY (permissions);
ALTER TABLE "roles" FORCE ROW LEVEL SECURITY;
