-- Sessions of agents that were ended before their time. Those that run out by themselves leave nothing.
CREATE TABLE "ended_sessions" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "ended_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "ended_sessions_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateIndex
CREATE INDEX "ended_sessions_tenant_id_ended_at_idx" ON "ended_sessions"("tenant_id", "ended_at");

-- CreateIndex
CREATE INDEX "ended_sessions_tenant_id_expires_at_idx" ON "ended_sessions"("tenant_id", "expires_at");

ALTER TABLE "ended_sessions" ADD CONSTRAINT "ended_sessions_tenant_id_fkey"
  FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

ALTER TABLE "ended_sessions" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "ended_sessions" FORCE ROW LEVEL SECURITY;
REVOKE ALL ON "ended_sessions" FROM PUBLIC;
CREATE POLICY own_tenant ON "ended_sessions" TO countersign_tenant
  USING (tenant_id = app_tenant_id()) WITH CHECK (tenant_id = app_tenant_id());
GRANT SELECT, INSERT, DELETE ON "ended_sessions" TO countersign_tenant;
