-- What is seldom and looked for first. Everyday outcomes are most of the trail and would only make the index dear.
CREATE INDEX audit_entries_rare_idx ON audit_entries (tenant_id, ts DESC, seq DESC)
  WHERE outcome IN ('denied', 'failure', 'unknown');

-- A batch arrives as one array of these: one parameter and one unnesting, instead of one per column.
CREATE TYPE audit_entry_row AS (
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
  payload_key_id uuid
);
