-- The tables of prisma/schema.prisma, as `cs db diff` writes them; the trail is partitioned by month.

-- CreateTable
CREATE TABLE "tenants" (
    "id" UUID NOT NULL,
    "slug" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "zones" TEXT[],
    "residency" TEXT NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'active',
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "tenants_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "users" (
    "id" UUID NOT NULL,
    "email" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "platform_admin" BOOLEAN NOT NULL DEFAULT false,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_sign_in_at" TIMESTAMPTZ(6),

    CONSTRAINT "users_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "user_identities" (
    "issuer" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "user_id" UUID NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "user_identities_pkey" PRIMARY KEY ("issuer","subject")
);

-- CreateTable
CREATE TABLE "sessions" (
    "id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "active_tenant_id" UUID,
    "auth_method" TEXT NOT NULL,
    "issuer" TEXT NOT NULL,
    "ip" TEXT,
    "user_agent" TEXT,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_seen_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "idle_expires_at" TIMESTAMPTZ(6) NOT NULL,
    "expires_at" TIMESTAMPTZ(6) NOT NULL,
    "revoked_at" TIMESTAMPTZ(6),
    "end_reason" TEXT,

    CONSTRAINT "sessions_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "members" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'active',
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "members_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "invitations" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "email" TEXT NOT NULL,
    "role_slugs" TEXT[],
    "invited_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(6) NOT NULL,
    "accepted_at" TIMESTAMPTZ(6),
    "revoked_at" TIMESTAMPTZ(6),

    CONSTRAINT "invitations_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "roles" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "slug" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT NOT NULL DEFAULT '',
    "permissions" TEXT[],
    "built_in" BOOLEAN NOT NULL DEFAULT false,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "roles_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "member_roles" (
    "tenant_id" UUID NOT NULL,
    "member_id" UUID NOT NULL,
    "role_id" UUID NOT NULL,
    "granted_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(6),

    CONSTRAINT "member_roles_pkey" PRIMARY KEY ("tenant_id","member_id","role_id")
);

-- CreateTable
CREATE TABLE "api_tokens" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "member_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "prefix" TEXT NOT NULL,
    "hash" BYTEA NOT NULL,
    "scopes" TEXT[],
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(6),
    "revoked_at" TIMESTAMPTZ(6),
    "last_used_at" TIMESTAMPTZ(6),

    CONSTRAINT "api_tokens_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "tenant_keys" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "purpose" TEXT NOT NULL,
    "master_key_id" TEXT NOT NULL,
    "wrapped" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "tenant_keys_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "servers" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "slug" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT NOT NULL DEFAULT '',
    "transport" TEXT NOT NULL,
    "url" TEXT,
    "command" TEXT,
    "args" TEXT[],
    "env" JSONB NOT NULL DEFAULT '{}',
    "status" TEXT NOT NULL DEFAULT 'draft',
    "zones" TEXT[],
    "residency" TEXT NOT NULL DEFAULT '',
    "owner_member_id" UUID,
    "deadline_ms" INTEGER NOT NULL DEFAULT 30000,
    "pool_size" INTEGER NOT NULL DEFAULT 5,
    "credential" BYTEA,
    "credential_key_id" UUID,
    "probe" JSONB,
    "probed_at" TIMESTAMPTZ(6),
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "servers_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "server_tools" (
    "tenant_id" UUID NOT NULL,
    "server_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "title" TEXT,
    "description" TEXT NOT NULL DEFAULT '',
    "input_schema" JSONB NOT NULL,
    "output_schema" JSONB,
    "annotations" JSONB,
    "definition_sha256" TEXT NOT NULL,
    "suggested_permission" TEXT NOT NULL,
    "first_seen_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_seen_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "removed_at" TIMESTAMPTZ(6),

    CONSTRAINT "server_tools_pkey" PRIMARY KEY ("tenant_id","server_id","name")
);

-- CreateTable
CREATE TABLE "permission_map_versions" (
    "tenant_id" UUID NOT NULL,
    "version" INTEGER NOT NULL,
    "map" JSONB NOT NULL,
    "sha256" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "changed_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "permission_map_versions_pkey" PRIMARY KEY ("tenant_id","version")
);

-- CreateTable
CREATE TABLE "agents" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "slug" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT NOT NULL DEFAULT '',
    "owner_member_id" UUID NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'active',
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "agents_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "agent_roles" (
    "tenant_id" UUID NOT NULL,
    "agent_id" UUID NOT NULL,
    "role_id" UUID NOT NULL,
    "granted_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(6),

    CONSTRAINT "agent_roles_pkey" PRIMARY KEY ("tenant_id","agent_id","role_id")
);

-- CreateTable
CREATE TABLE "agent_keys" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "agent_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "prefix" TEXT NOT NULL,
    "hash" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(6),
    "revoked_at" TIMESTAMPTZ(6),
    "last_used_at" TIMESTAMPTZ(6),

    CONSTRAINT "agent_keys_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "audit_entries" (
    "tenant_id" UUID NOT NULL,
    "seq" BIGINT NOT NULL,
    "ts" TIMESTAMPTZ(6) NOT NULL,
    "event_id" UUID NOT NULL,
    "gateway_id" UUID NOT NULL,
    "call_id" UUID,
    "phase" TEXT NOT NULL,
    "event_type" TEXT NOT NULL,
    "outcome" TEXT NOT NULL,
    "reason_code" TEXT,
    "decision" TEXT,
    "rule_id" TEXT,
    "actor_type" TEXT NOT NULL,
    "actor_id" TEXT NOT NULL,
    "actor_name" TEXT NOT NULL,
    "server" TEXT,
    "tool" TEXT,
    "target" TEXT,
    "latency_ms" DOUBLE PRECISION,
    "request_id" TEXT NOT NULL,
    "search_text" TEXT NOT NULL,
    "record" BYTEA NOT NULL,
    "record_sha256" BYTEA NOT NULL,
    "prev_hash" BYTEA NOT NULL,
    "hash" BYTEA NOT NULL,
    "payload" BYTEA,
    "payload_key_id" UUID,

    CONSTRAINT "audit_entries_pkey" PRIMARY KEY ("tenant_id","seq","ts")
) PARTITION BY RANGE ("ts");

-- CreateTable
CREATE TABLE "audit_heads" (
    "tenant_id" UUID NOT NULL,
    "seq" BIGINT NOT NULL,
    "hash" BYTEA NOT NULL,
    "updated_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "audit_heads_pkey" PRIMARY KEY ("tenant_id")
);

-- CreateTable
CREATE TABLE "gateway_processes" (
    "id" UUID NOT NULL,
    "lock_key" BIGINT NOT NULL,
    "version" TEXT NOT NULL,
    "started_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_seen_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "open_since" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "closed_at" TIMESTAMPTZ(6),

    CONSTRAINT "gateway_processes_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "tenants_slug_key" ON "tenants"("slug");

-- CreateIndex
CREATE UNIQUE INDEX "users_email_key" ON "users"("email");

-- CreateIndex
CREATE INDEX "user_identities_user_id_idx" ON "user_identities"("user_id");

-- CreateIndex
CREATE INDEX "sessions_user_id_idx" ON "sessions"("user_id");

-- CreateIndex
CREATE INDEX "members_user_id_idx" ON "members"("user_id");

-- CreateIndex
CREATE UNIQUE INDEX "members_tenant_id_user_id_key" ON "members"("tenant_id", "user_id");

-- CreateIndex
CREATE INDEX "invitations_email_idx" ON "invitations"("email");

-- CreateIndex
CREATE UNIQUE INDEX "roles_tenant_id_slug_key" ON "roles"("tenant_id", "slug");

-- CreateIndex
CREATE INDEX "member_roles_tenant_id_role_id_idx" ON "member_roles"("tenant_id", "role_id");

-- CreateIndex
CREATE UNIQUE INDEX "api_tokens_hash_key" ON "api_tokens"("hash");

-- CreateIndex
CREATE INDEX "api_tokens_tenant_id_member_id_idx" ON "api_tokens"("tenant_id", "member_id");

-- CreateIndex
CREATE INDEX "tenant_keys_tenant_id_purpose_idx" ON "tenant_keys"("tenant_id", "purpose");

-- CreateIndex
CREATE UNIQUE INDEX "servers_tenant_id_slug_key" ON "servers"("tenant_id", "slug");

-- CreateIndex
CREATE UNIQUE INDEX "agents_tenant_id_slug_key" ON "agents"("tenant_id", "slug");

-- CreateIndex
CREATE INDEX "agent_roles_tenant_id_role_id_idx" ON "agent_roles"("tenant_id", "role_id");

-- CreateIndex
CREATE UNIQUE INDEX "agent_keys_hash_key" ON "agent_keys"("hash");

-- CreateIndex
CREATE INDEX "agent_keys_tenant_id_agent_id_idx" ON "agent_keys"("tenant_id", "agent_id");

-- CreateIndex
CREATE INDEX "audit_entries_tenant_id_ts_seq_idx" ON "audit_entries"("tenant_id", "ts" DESC, "seq" DESC);

-- CreateIndex
CREATE INDEX "audit_entries_tenant_id_event_id_idx" ON "audit_entries"("tenant_id", "event_id");

-- CreateIndex
CREATE INDEX "audit_entries_tenant_id_call_id_idx" ON "audit_entries"("tenant_id", "call_id");

-- CreateIndex
CREATE INDEX "audit_entries_tenant_id_actor_id_ts_idx" ON "audit_entries"("tenant_id", "actor_id", "ts" DESC);

-- AddForeignKey
ALTER TABLE "user_identities" ADD CONSTRAINT "user_identities_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "members" ADD CONSTRAINT "members_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "members" ADD CONSTRAINT "members_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "roles" ADD CONSTRAINT "roles_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "member_roles" ADD CONSTRAINT "member_roles_tenant_id_member_id_fkey" FOREIGN KEY ("tenant_id", "member_id") REFERENCES "members"("tenant_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "member_roles" ADD CONSTRAINT "member_roles_tenant_id_role_id_fkey" FOREIGN KEY ("tenant_id", "role_id") REFERENCES "roles"("tenant_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "api_tokens" ADD CONSTRAINT "api_tokens_tenant_id_member_id_fkey" FOREIGN KEY ("tenant_id", "member_id") REFERENCES "members"("tenant_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "servers" ADD CONSTRAINT "servers_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "server_tools" ADD CONSTRAINT "server_tools_tenant_id_server_id_fkey" FOREIGN KEY ("tenant_id", "server_id") REFERENCES "servers"("tenant_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "permission_map_versions" ADD CONSTRAINT "permission_map_versions_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "agents" ADD CONSTRAINT "agents_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "agents" ADD CONSTRAINT "agents_tenant_id_owner_member_id_fkey" FOREIGN KEY ("tenant_id", "owner_member_id") REFERENCES "members"("tenant_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "agent_roles" ADD CONSTRAINT "agent_roles_tenant_id_agent_id_fkey" FOREIGN KEY ("tenant_id", "agent_id") REFERENCES "agents"("tenant_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "agent_roles" ADD CONSTRAINT "agent_roles_tenant_id_role_id_fkey" FOREIGN KEY ("tenant_id", "role_id") REFERENCES "roles"("tenant_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "agent_keys" ADD CONSTRAINT "agent_keys_tenant_id_agent_id_fkey" FOREIGN KEY ("tenant_id", "agent_id") REFERENCES "agents"("tenant_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- ================================================================ what Prisma's schema cannot say
-- From here on: runtime roles, row security, the append-only trail and its partitions.

-- ---------------------------------------------------------------- runtime roles
-- The login owns the tables, and owners are what row security is weakest against. Every transaction of the
-- server therefore runs as one of two roles that own nothing and cannot log in. Roles belong to the cluster, so
-- another database (or a migration running beside this one) may have made them already.
DO $roles$
DECLARE
  wanted text;
  version int := current_setting('server_version_num');
BEGIN
  FOREACH wanted IN ARRAY ARRAY['countersign_tenant', 'countersign_platform'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
      BEGIN
        EXECUTE format('CREATE ROLE %I NOLOGIN NOINHERIT NOCREATEDB NOCREATEROLE', wanted);
      EXCEPTION
        WHEN duplicate_object OR unique_violation THEN NULL;
        WHEN insufficient_privilege THEN
          RAISE EXCEPTION 'The login % may not create the role %.', current_user, wanted
            USING HINT = format('Give the login CREATEROLE, or have an administrator run: CREATE ROLE %I NOLOGIN; GRANT %I TO %I;', wanted, wanted, current_user);
      END;
    END IF;
    -- PostgreSQL 16 separated "may administer" from "may SET ROLE"; only the second lets the server act as the role.
    IF NOT pg_has_role(current_user, wanted, CASE WHEN version >= 160000 THEN 'SET' ELSE 'MEMBER' END) THEN
      BEGIN
        EXECUTE format('GRANT %I TO CURRENT_USER%s', wanted, CASE WHEN version >= 160000 THEN ' WITH SET TRUE, INHERIT FALSE' END);
      EXCEPTION WHEN insufficient_privilege THEN
        RAISE EXCEPTION 'The login % may not act as the role %.', current_user, wanted
          USING HINT = format('Have an administrator run: GRANT %I TO %I;', wanted, current_user);
      END;
    END IF;
    EXECUTE format('GRANT USAGE ON SCHEMA public TO %I', wanted);
  END LOOP;
END
$roles$;

-- ---------------------------------------------------------------- row security
-- The tenant of this transaction. Unset and '' (what a finished transaction leaves behind) are NULL, which equals
-- nothing; text that is no uuid is an error. Plain SQL, so that the planner inlines it into index conditions.
CREATE FUNCTION app_tenant_id() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('app.tenant_id', true), '')::uuid;

-- Every table, global ones included: a table without a policy for a role shows that role nothing.
DO $force$
DECLARE
  name text;
BEGIN
  FOR name IN
    SELECT c.relname FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
      AND c.relname IN (
        'tenants', 'users', 'user_identities', 'sessions', 'members', 'invitations', 'roles', 'member_roles', 'api_tokens',
        'tenant_keys', 'servers', 'server_tools', 'permission_map_versions', 'agents', 'agent_roles', 'agent_keys',
        'audit_entries', 'audit_heads', 'gateway_processes', '_prisma_migrations')
  LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('REVOKE ALL ON %I FROM PUBLIC', name);
  END LOOP;
  -- FORCE binds the owner too, and the owner keeps the record of migrations.
  IF to_regclass('public._prisma_migrations') IS NOT NULL THEN
    CREATE POLICY owner_keeps_record ON _prisma_migrations TO CURRENT_USER USING (true) WITH CHECK (true);
  END IF;
END
$force$;

-- Rows that carry tenant_id: a tenant transaction sees and writes those of its own tenant.
DO $tenant$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY[
    'members', 'invitations', 'roles', 'member_roles', 'api_tokens', 'tenant_keys', 'servers', 'server_tools',
    'permission_map_versions', 'agents', 'agent_roles', 'agent_keys', 'audit_entries', 'audit_heads']
  LOOP
    EXECUTE format('CREATE POLICY own_tenant ON %I TO countersign_tenant
      USING (tenant_id = app_tenant_id()) WITH CHECK (tenant_id = app_tenant_id())', name);
  END LOOP;
END
$tenant$;

CREATE POLICY own_tenant ON tenants TO countersign_tenant
  USING (id = app_tenant_id()) WITH CHECK (id = app_tenant_id());
-- People are global; a tenant knows those who are its members.
CREATE POLICY members_of_own_tenant ON users FOR SELECT TO countersign_tenant
  USING (EXISTS (SELECT FROM members m WHERE m.user_id = users.id AND m.tenant_id = app_tenant_id()));

GRANT SELECT, INSERT, UPDATE, DELETE ON
  members, invitations, roles, member_roles, api_tokens, servers, server_tools, agents, agent_roles, agent_keys
  TO countersign_tenant;
GRANT SELECT, INSERT, UPDATE ON tenant_keys, audit_heads TO countersign_tenant;
-- Append-only: what was in force, and what happened, stays.
GRANT SELECT, INSERT ON permission_map_versions, audit_entries TO countersign_tenant;
GRANT SELECT, UPDATE (name, zones, residency) ON tenants TO countersign_tenant;
GRANT SELECT ON users TO countersign_tenant;

-- Who is calling, and where do they belong: the questions asked before a tenant is known.
DO $platform$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['tenants', 'users', 'user_identities', 'sessions', 'gateway_processes'] LOOP
    EXECUTE format('CREATE POLICY platform ON %I TO countersign_platform USING (true) WITH CHECK (true)', name);
  END LOOP;
  FOREACH name IN ARRAY ARRAY['agent_keys', 'agents', 'agent_roles', 'roles', 'members', 'member_roles', 'api_tokens', 'invitations', 'servers'] LOOP
    EXECUTE format('CREATE POLICY platform_reads ON %I FOR SELECT TO countersign_platform USING (true)', name);
  END LOOP;
  -- Creating a tenant (its built-in roles, its first invitation) and turning an invitation into a member.
  FOREACH name IN ARRAY ARRAY['roles', 'invitations', 'members', 'member_roles'] LOOP
    EXECUTE format('CREATE POLICY platform_admits ON %I FOR INSERT TO countersign_platform WITH CHECK (true)', name);
  END LOOP;
  FOREACH name IN ARRAY ARRAY['agent_keys', 'api_tokens', 'invitations'] LOOP
    EXECUTE format('CREATE POLICY platform_stamps ON %I FOR UPDATE TO countersign_platform USING (true) WITH CHECK (true)', name);
  END LOOP;
  -- The trail is the exception: even the platform reaches one chain at a time.
  FOREACH name IN ARRAY ARRAY['audit_entries', 'audit_heads'] LOOP
    EXECUTE format('CREATE POLICY platform_one_chain ON %I TO countersign_platform
      USING (tenant_id = app_tenant_id()) WITH CHECK (tenant_id = app_tenant_id())', name);
  END LOOP;
END
$platform$;

GRANT SELECT, INSERT, UPDATE ON tenants TO countersign_platform;
GRANT SELECT, INSERT, UPDATE, DELETE ON users, user_identities, sessions, gateway_processes TO countersign_platform;
GRANT SELECT ON agent_keys, agents, agent_roles, api_tokens TO countersign_platform;
GRANT SELECT, INSERT ON roles, members, member_roles, invitations TO countersign_platform;
GRANT UPDATE (last_used_at) ON agent_keys, api_tokens TO countersign_platform;
GRANT UPDATE (accepted_at) ON invitations TO countersign_platform;
-- Counting servers per tenant, without their addresses and credentials.
GRANT SELECT (tenant_id, id, slug, status) ON servers TO countersign_platform;
GRANT SELECT, INSERT ON audit_entries TO countersign_platform;
GRANT SELECT, INSERT, UPDATE ON audit_heads TO countersign_platform;

-- ---------------------------------------------------------------- the trail only grows
-- The grants above already refuse; this refuses the owner as well, who would first have to drop the trigger.
CREATE FUNCTION refuse_trail_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'The audit trail is append-only: % on % is refused.', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit_entries
  FOR EACH ROW EXECUTE FUNCTION refuse_trail_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON audit_entries
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_trail_change();

-- Makes the missing monthly partitions (UTC) between two days and returns how many. A partition can be addressed
-- by its own name, past the parent's policies: so it gets row security without any policy, and no grants.
CREATE FUNCTION ensure_audit_partitions(from_day date, to_day date) RETURNS integer
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
    first := (first + interval '1 month')::date;
  END LOOP;
  RETURN made;
END
$$;
REVOKE ALL ON FUNCTION ensure_audit_partitions(date, date) FROM PUBLIC;

SELECT ensure_audit_partitions((now() - interval '2 months')::date, (now() + interval '3 months')::date);
