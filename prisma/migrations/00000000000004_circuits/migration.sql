-- What a tenant decided about a server's circuit and its connections; null where the defaults hold.
ALTER TABLE "servers" ADD COLUMN "circuit_policy" JSONB;
ALTER TABLE "servers" ADD COLUMN "pool_limits" JSONB;
-- A person's word over the machine, and how often a person has started it anew: stored, so that it outlives every process.
ALTER TABLE "servers" ADD COLUMN "circuit_override" TEXT;
ALTER TABLE "servers" ADD COLUMN "circuit_generation" INTEGER NOT NULL DEFAULT 0;
ALTER TABLE "servers" ADD CONSTRAINT "servers_circuit_override_check" CHECK (circuit_override IN ('forced-open', 'disabled'));
