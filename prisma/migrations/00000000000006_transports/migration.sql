-- What may be used once, such as the state that a client brings back with the input a server required.
CREATE TABLE "spent_states" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "expires_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "spent_states_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateIndex
CREATE INDEX "spent_states_tenant_id_expires_at_idx" ON "spent_states"("tenant_id", "expires_at");

ALTER TABLE "spent_states" ADD CONSTRAINT "spent_states_tenant_id_fkey"
  FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

ALTER TABLE "spent_states" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "spent_states" FORCE ROW LEVEL SECURITY;
REVOKE ALL ON "spent_states" FROM PUBLIC;
CREATE POLICY own_tenant ON "spent_states" TO countersign_tenant
  USING (tenant_id = app_tenant_id()) WITH CHECK (tenant_id = app_tenant_id());
GRANT SELECT, INSERT, DELETE ON "spent_states" TO countersign_tenant;
