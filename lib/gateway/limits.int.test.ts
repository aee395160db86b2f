import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { perform } from "@/lib/audit/perform";
import { newId } from "@/lib/core/ids";
import { tenantSql } from "@/lib/db/sql";
import { boot, shutdown } from "@/lib/gateway/boot";
import { getGateway } from "@/lib/gateway/compose";
import { tryTool } from "@/lib/gateway/try-tool";
import { listKillSwitches } from "@/lib/kill-switches/read";
import { liftKillSwitch, throwKillSwitch } from "@/lib/kill-switches/throw-kill-switch";
import { changeRetryPolicy, changeToolCache } from "@/lib/limits/change-handling";
import { changeAgentLimit, changeTenantLimits } from "@/lib/limits/change-limits";
import { getServerHandling } from "@/lib/limits/read";
import { createWorld, openDoor, type World } from "@/lib/testing/gateway-world";
import { rpc } from "@/lib/testing/rpc";

const ERROR = "dev.countersign/error";
const LIMIT = "dev.countersign/limit";
const ENTRY = "dev.countersign/entry";
const why = { reason: "for the test" };
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

let door: Awaited<ReturnType<typeof openDoor>>;
const worlds: World[] = [];
beforeAll(async () => {
  await boot();
  door = await openDoor("node");
});
afterAll(async () => {
  await door.close();
  await shutdown();
});
afterEach(async () => {
  await Promise.all(worlds.splice(0).map((world) => world.close()));
});

async function world(deadlineMs = 5_000): Promise<World> {
  const made = await createWorld({
    files: {
      tools: ["read", "drop"],
      map: { read: "files:read", drop: "files:drop" },
      annotations: { read: { readOnlyHint: true }, drop: { idempotentHint: true } },
      deadlineMs,
    },
  });
  worlds.push(made);
  return made;
}

const call = (key: string, tool = "read", args: Record<string, unknown> = {}) =>
  rpc(door.url, "tools/call", { name: `files__${tool}`, arguments: args }, { key });

const textOf = (reply: Awaited<ReturnType<typeof call>>): string => reply.body.result.content[0].text;

/** What the trail says of a tenant's calls, oldest first. */
async function told(tenantId: string): Promise<Record<string, unknown>[]> {
  const sql = "select record from audit_entries where tenant_id = $1 and event_type like 'tool_call.%' order by seq";
  const { rows } = await tenantSql(tenantId, (client) => client.query<{ record: Buffer }>(sql, [tenantId]));
  return rows.map(({ record }) => JSON.parse(record.toString("utf8")));
}

const asked = (made: World): number =>
  made.upstreams.get("files")?.requests.filter(({ method }) => method === "tools/call").length ?? 0;

describe("limits", () => {
  it("refuse in one entry, say when to come back and what is left, and are each agent's own", async () => {
    const { tenant, agent, upstreams } = await world();
    const [first, second] = [await agent("files:read"), await agent("files:read")];
    const before = await call(first.key);
    expect(before.body.result._meta[LIMIT]).toMatchObject({ scope: "agent", limit: 10_000 });
    expect(before.body.result._meta[LIMIT].remaining).toBeGreaterThan(900);
    await perform(changeAgentLimit, tenant.ctx(), { id: first.agentId, perSecond: 1, ...why });
    const passed = await call(first.key);
    expect(passed.body.result._meta[LIMIT]).toMatchObject({ scope: "agent", limit: 1, remaining: 0 });
    const refused = await call(first.key);
    expect(refused.status).toBe(200);
    expect(refused.body.result.isError).toBe(true);
    const error = refused.body.result._meta[ERROR];
    expect(error).toMatchObject({ code: "rate_limited" });
    expect(error.retryAfterMs).toBeGreaterThan(0);
    // Processes of other tests may still be counted, and then this one keeps to its share.
    expect(error.retryAfterMs).toBeLessThanOrEqual(30_000);
    expect(refused.headers.get("retry-after")).toBe(`${Math.ceil(error.retryAfterMs / 1_000)}`);
    expect(refused.body.result._meta[LIMIT]).toMatchObject({ scope: "agent", limit: 1, remaining: 0 });
    const entries = await told(tenant.tenantId);
    expect(entries).toHaveLength(5);
    expect(entries.at(-1)).toMatchObject({
      event_id: refused.body.result._meta[ENTRY],
      event_type: "tool_call.denied",
      outcome: "denied",
      reason_code: "rate_limited",
      rule_id: "map:files/read=files:read",
    });
    expect(upstreams.get("files")?.calls).toHaveLength(2);
    expect((await call(second.key)).body.result.isError).toBeUndefined();
  });

  it("of the tenant hold for its admins too, and a reason is needed to change them", async () => {
    const { tenant, agent, serverIds } = await world();
    const { key } = await agent("files:read");
    await expect(perform(changeTenantLimits, tenant.ctx(), { perSecond: 1 })).rejects.toMatchObject({
      code: "invalid_input",
    });
    await expect(perform(changeTenantLimits, tenant.ctx("viewer"), { perSecond: 1, ...why })).rejects.toMatchObject({
      code: "permission_denied",
    });
    await perform(changeTenantLimits, tenant.ctx(), { perSecond: 1, ...why });
    expect((await call(key)).body.result.isError).toBeUndefined();
    const tried = await tryTool(tenant.ctx(), { id: serverIds.get("files") ?? "", tool: "read", arguments: {} });
    expect(tried).toMatchObject({ ok: false, error: { code: "rate_limited" } });
    await perform(changeTenantLimits, tenant.ctx(), { perSecond: null, ...why });
    expect((await call(key)).body.result.isError).toBeUndefined();
  });
});

describe("kill switches", () => {
  it.each(["agent", "tool", "server", "tenant"] as const)(
    "stop the %s at once, and let it go on when lifted",
    async (kind) => {
      const { tenant, agent } = await world();
      const [first, second] = [await agent("files:*"), await agent("files:*")];
      const target = { agent: first.slug, tool: "files/read", server: "files", tenant: "" }[kind];
      expect((await call(first.key)).body.result.isError).toBeUndefined();
      const thrown = await perform(throwKillSwitch, tenant.ctx(), { kind, target, reason: "it went wild" });
      await expect(perform(throwKillSwitch, tenant.ctx(), { kind, target, ...why })).rejects.toMatchObject({
        code: "conflict",
      });
      const refused = await call(first.key);
      expect(refused.body.result._meta[ERROR]).toMatchObject({ code: "killed" });
      expect(textOf(refused)).toContain("it went wild");
      expect((await told(tenant.tenantId)).at(-1)).toMatchObject({
        event_id: refused.body.result._meta[ENTRY],
        event_type: "tool_call.denied",
        reason_code: "killed",
      });
      expect((await call(second.key)).body.result.isError === true).toBe(kind !== "agent");
      expect((await call(first.key, "drop")).body.result.isError === true).toBe(kind !== "tool");
      await perform(liftKillSwitch, tenant.ctx(), { id: thrown.id });
      expect((await call(first.key)).body.result.isError).toBeUndefined();
      expect(await perform(listKillSwitches, tenant.ctx("viewer"), {})).toMatchObject([
        { id: thrown.id, kind, reason: "it went wild", thrownBy: tenant.admin.email, liftedBy: tenant.admin.email },
      ]);
    },
  );

  it("end calls in flight, and the server hears of it", async () => {
    const { tenant, agent, upstreams } = await world();
    const { key, slug } = await agent("files:read");
    upstreams.get("files")?.setFault("hang");
    const hanging = call(key);
    await vi.waitFor(() => expect(getGateway().inFlight.size()).toBe(1));
    await vi.waitFor(() => expect(upstreams.get("files")?.requests.at(-1)?.method).toBe("tools/call"));
    const at = performance.now();
    await perform(throwKillSwitch, tenant.ctx(), { kind: "agent", target: slug });
    const ended = await hanging;
    expect(performance.now() - at).toBeLessThan(5_000);
    expect(ended.body.result._meta[ERROR]).toMatchObject({ code: "killed" });
    expect((await told(tenant.tenantId)).at(-1)).toMatchObject({
      event_type: "tool_call.finished",
      outcome: "failure",
      reason_code: "killed",
    });
    await vi.waitFor(() => expect(upstreams.get("files")?.left()).toBe(1));
    expect(getGateway().inFlight.size()).toBe(0);
  });

  it("are thrown and lifted once by several people at the same moment, and the others are told so", async () => {
    const { tenant } = await world();
    const codes = async (acts: readonly Promise<unknown>[]) => {
      const ends = await Promise.allSettled(acts);
      return ends.map((end) => (end.status === "fulfilled" ? "ok" : end.reason.code)).sort();
    };
    const three = <T>(act: () => Promise<T>) => Array.from({ length: 3 }, act);
    const once = ["conflict", "conflict", "ok"];
    const target = { kind: "server", target: "files" };
    expect(await codes(three(() => perform(throwKillSwitch, tenant.ctx(), target)))).toEqual(once);
    const [thrown] = await perform(listKillSwitches, tenant.ctx(), {});
    const id = thrown?.id ?? "";
    expect(await codes(three(() => perform(liftKillSwitch, tenant.ctx(), { id })))).toEqual(once);
  });

  it("need their permission, a reason for a whole tenant, and a target that is there", async () => {
    const { tenant } = await world();
    const refusal = (input: object, held: Parameters<typeof tenant.ctx>[0] = ["killswitch:write"]) =>
      perform(throwKillSwitch, tenant.ctx(held), input).then(
        () => null,
        (cause: { code: string }) => cause.code,
      );
    expect(await refusal({ kind: "server", target: "files" }, "developer")).toBe("permission_denied");
    expect(await refusal({ kind: "tenant" })).toBe("invalid_input");
    expect(await refusal({ kind: "server", target: "nothing" })).toBe("invalid_input");
    expect(await refusal({ kind: "tool", target: "files/nothing" })).toBe("invalid_input");
    expect(await refusal({ kind: "server", target: "files" })).toBeNull();
  });
});

describe("retries", () => {
  it("repeat a read-only tool once, and the outcome says so", async () => {
    const made = await world();
    const { key } = await made.agent("files:*");
    const upstream = made.upstreams.get("files");
    upstream?.setFault("status-500");
    const answer = call(key);
    // The second try comes no sooner than 50 ms after the first has failed.
    await vi.waitFor(() => expect(asked(made)).toBe(1), { interval: 2 });
    upstream?.setFault("none");
    expect((await answer).body.result.isError).toBeUndefined();
    expect(asked(made)).toBe(2);
    const entries = await told(made.tenant.tenantId);
    expect(entries.map(({ phase }) => phase)).toEqual(["intent", "outcome"]);
    expect(entries.at(-1)).toMatchObject({ outcome: "success", retry_no: 1 });
  });

  it("leave others alone, unless the server's policy lets idempotent ones be repeated", async () => {
    const made = await world();
    const { key } = await made.agent("files:*");
    const id = made.serverIds.get("files") ?? "";
    made.upstreams.get("files")?.setFault("status-500");
    await call(key, "drop");
    expect(asked(made)).toBe(1);
    await perform(changeRetryPolicy, made.tenant.ctx(), { id, retryPolicy: "idempotent", ...why });
    await call(key, "drop");
    expect(asked(made)).toBe(3);
    await perform(changeRetryPolicy, made.tenant.ctx(), { id, retryPolicy: "off", ...why });
    await call(key, "read");
    expect(asked(made)).toBe(4);
  });

  it("do not repeat what the server answered or cut off", async () => {
    const made = await world();
    const { key } = await made.agent("files:*");
    for (const fault of ["rpc-error", "is-error", "cut", "status-401"] as const) {
      made.upstreams.get("files")?.setFault(fault);
      await call(key);
    }
    expect(asked(made)).toBe(4);
  });

  it("do not repeat what took too long: it may still have an effect", async () => {
    const made = await world(1_000);
    const { key } = await made.agent("files:*");
    made.upstreams.get("files")?.setFault("hang");
    expect((await call(key)).body.result._meta[ERROR]).toMatchObject({ code: "upstream_timeout" });
    expect(asked(made)).toBe(1);
    const last = (await told(made.tenant.tenantId)).at(-1);
    expect(last).toMatchObject({ reason_code: "upstream_timeout" });
    expect(last).not.toHaveProperty("retry_no");
  });
});

describe("answers given again", () => {
  async function cached() {
    const made = await world();
    const id = made.serverIds.get("files") ?? "";
    await perform(changeToolCache, made.tenant.ctx(), { id, tool: "read", ttlMs: 60_000, ...why });
    return { ...made, id };
  }

  it("come without asking the server, with entries of their own, for equal arguments however ordered", async () => {
    const made = await cached();
    const [first, second] = [await made.agent("files:read"), await made.agent("files:read")];
    const big = "x".repeat(5_000);
    const one = await call(first.key, "read", { a: 1, b: big });
    await pause(20);
    const two = await call(second.key, "read", { b: big, a: 1 });
    expect(two.body.result.content).toEqual(one.body.result.content);
    expect(two.body.result._meta[ENTRY]).not.toBe(one.body.result._meta[ENTRY]);
    expect(asked(made)).toBe(1);
    const entries = await told(made.tenant.tenantId);
    expect(entries.map(({ phase, cache }) => [phase, cache])).toEqual([
      ["intent", undefined],
      ["outcome", undefined],
      ["intent", undefined],
      ["outcome", "hit"],
    ]);
    await call(first.key, "read", { a: 2 });
    expect(asked(made)).toBe(2);
    const { cache } = await perform(getServerHandling, made.tenant.ctx("viewer"), { id: made.id });
    expect(cache).toMatchObject({ hits: 1, misses: 2, entries: 2 });
    // Packed: five thousand equal letters take next to nothing.
    expect(cache.bytes).toBeLessThan(1_000);
  });

  it("go to nobody who may not call the tool, and to no other tenant", async () => {
    const [made, other] = [await cached(), await cached()];
    const allowed = await made.agent("files:read");
    await call(allowed.key, "read", { a: 1 });
    await pause(20);
    const denied = await made.agent("notes:read");
    expect((await call(denied.key, "read", { a: 1 })).body.result._meta[ERROR]).toMatchObject({
      code: "permission_denied",
    });
    const stranger = await other.agent("files:read");
    await call(stranger.key, "read", { a: 1 });
    expect(asked(other)).toBe(1);
  });

  it("are forgotten when the server changes or a switch is thrown, and errors are never kept", async () => {
    const made = await cached();
    const { key } = await made.agent("files:*");
    const { tenant, id } = made;
    made.upstreams.get("files")?.setFault("is-error");
    await call(key);
    await pause(20);
    made.upstreams.get("files")?.setFault("none");
    await call(key);
    await pause(20);
    expect(asked(made)).toBe(2);
    await perform(changeRetryPolicy, tenant.ctx(), { id, retryPolicy: "off", ...why });
    await call(key);
    await pause(20);
    expect(asked(made)).toBe(3);
    const thrown = await perform(throwKillSwitch, tenant.ctx(), { kind: "tool", target: "files/drop" });
    await call(key);
    await pause(20);
    expect(asked(made)).toBe(4);
    await perform(liftKillSwitch, tenant.ctx(), { id: thrown.id });
    await perform(changeToolCache, tenant.ctx(), { id, tool: "read", ttlMs: 0, ...why });
    await call(key);
    await call(key);
    expect(asked(made)).toBe(6);
  });

  it("are forgotten within two seconds by a process that nobody tells of the change", { timeout: 30_000 }, async () => {
    const made = await cached();
    const { key } = await made.agent("files:read");
    const { tenantId } = made.tenant;
    // As another process does it that has no way to tell: the rows are all that changes.
    const elsewhere = (sql: string, ...values: unknown[]) =>
      tenantSql(tenantId, (client) => client.query(sql, [tenantId, made.id, ...values]));
    const thrown = newId();
    const changes: [string, ...unknown[]][] = [
      ["update servers set updated_at = now() where tenant_id = $1 and id = $2"],
      [
        "insert into kill_switches (tenant_id, id, kind, target, thrown_by) values ($1, $3, 'tool', 'files/drop', $2)",
        thrown,
      ],
      ["update kill_switches set lifted_at = now(), lifted_by = $2 where tenant_id = $1 and id = $3", thrown],
      ["update tool_settings set cache_ttl_ms = 500 where tenant_id = $1 and server_id = $2"],
    ];
    let times = 1;
    await call(key);
    await pause(20);
    await call(key);
    expect(asked(made)).toBe(times);
    for (const [sql, ...values] of changes) {
      await elsewhere(sql, ...values);
      await pause(2_100);
      await call(key);
      times += 1;
      expect([sql, asked(made)]).toEqual([sql, times]);
      await pause(20);
    }
  });

  it("are for read-only tools alone", async () => {
    const { tenant, serverIds } = await world();
    const id = serverIds.get("files") ?? "";
    const change = perform(changeToolCache, tenant.ctx(), { id, tool: "drop", ttlMs: 1_000, ...why });
    await expect(change).rejects.toMatchObject({ code: "invalid_input" });
  });
});
