-- The trace that an entry is part of. Derived from the record like every column beside it.
ALTER TABLE "audit_entries" ADD COLUMN "trace_id" TEXT;

-- Few entries have one, and only those pay for it.
CREATE INDEX audit_entries_trace_idx ON audit_entries (tenant_id, trace_id, ts DESC) WHERE trace_id IS NOT NULL;

-- A type of its own beside `audit_entry_row`: a process of the version before still writes that one while this is applied.
CREATE TYPE audit_traced_row AS (
  seq            bigint,
  ts             timestamptz,
  event_id       uuid,
  gateway_id     uuid,
  call_id        uuid,
  phase          text,
  event_type     text,
  outcome        text,
  reason_code    text,
  decision       text,
  rule_id        text,
  actor_type     text,
  actor_id       text,
  actor_name     text,
  server         text,
  tool           text,
  target         text,
  latency_ms     double precision,
  request_id     text,
  search_text    text,
  record         bytea,
  record_sha256  bytea,
  prev_hash      bytea,
  hash           bytea,
  payload        bytea,
  payload_key_id uuid,
  trace_id       text
);
