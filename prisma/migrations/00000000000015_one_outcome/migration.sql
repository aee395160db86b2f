-- A call has one outcome, whoever writes it: a process that was taken for dead and is not must not add a second one.
-- The index also finds the entries of a call, in place of the one before, so it costs an entry no more than that did.
-- A unique index over all months would have to contain the time; each month has its own.
CREATE FUNCTION guard_audit_outcomes(partition regclass) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
  name text := format('%s_call_idx', (SELECT relname FROM pg_class WHERE oid = partition));
  columns text := '(tenant_id, call_id, (CASE WHEN phase = ''outcome'' THEN 0 ELSE seq END)) WHERE call_id IS NOT NULL';
BEGIN
  IF to_regclass(name) IS NOT NULL THEN RETURN; END IF;
  BEGIN
    EXECUTE format('CREATE UNIQUE INDEX %I ON %s %s', name, partition, columns);
  EXCEPTION WHEN unique_violation THEN
    -- Second outcomes of earlier versions stay where they are: the trail is never changed.
    EXECUTE format('CREATE INDEX %I ON %s %s', name, partition, columns);
    EXECUTE format('CREATE UNIQUE INDEX %I ON %s %s AND ts >= %L', name || '_new', partition, columns, now());
  END;
END
$$;
REVOKE ALL ON FUNCTION guard_audit_outcomes(regclass) FROM PUBLIC;

-- As before, and with that index. A process of the version before calls it as well.
CREATE OR REPLACE FUNCTION ensure_audit_partitions(from_day date, to_day date) RETURNS integer
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
  first date := date_trunc('month', from_day)::date;
  name text;
  made integer := 0;
BEGIN
  -- Two processes may keep the partitions up at the same moment.
  PERFORM pg_advisory_xact_lock(hashtext('countersign.partitions'));
  WHILE first <= to_day LOOP
    name := 'audit_entries_' || to_char(first, 'YYYY_MM');
    IF to_regclass(name) IS NULL THEN
      EXECUTE format('CREATE TABLE %I PARTITION OF audit_entries FOR VALUES FROM (%L) TO (%L)',
        name, first::text || ' 00:00:00+00', (first + interval '1 month')::date::text || ' 00:00:00+00');
      EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
      EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
      -- Row triggers are inherited from the parent, statement triggers are not.
      EXECUTE format('CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON %I
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_trail_change()', name);
      made := made + 1;
    END IF;
    PERFORM guard_audit_outcomes(name::regclass);
    first := (first + interval '1 month')::date;
  END LOOP;
  RETURN made;
END
$$;
REVOKE ALL ON FUNCTION ensure_audit_partitions(date, date) FROM PUBLIC;

DROP INDEX audit_entries_tenant_id_call_id_idx;
SELECT guard_audit_outcomes(inhrelid::regclass) FROM pg_inherits WHERE inhparent = 'audit_entries'::regclass;
