import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface, type Interface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EntryDraft } from "@/lib/audit/entry";
import { prepareEntry } from "@/lib/audit/prepare-entry";
import { recoverOpenIntents } from "@/lib/audit/recover-open-intents";
import { closeTrail, trail } from "@/lib/audit/trail";
import { trailStore } from "@/lib/audit/trail-store";
import { walkTrail } from "@/lib/audit/verify-trail";
import { newId } from "@/lib/core/ids";
import { pool } from "@/lib/db/client";
import { inTenant } from "@/lib/db/in-tenant";
import { buildForTest, type TestBundle } from "@/lib/testing/bundle";
import { entryDraft } from "@/lib/testing/entry-draft";
import { createTestTenant } from "@/lib/testing/factories";
import { withTestDatabase } from "@/lib/testing/test-database";

withTestDatabase();
afterAll(closeTrail);

const outcomeOf = (tenantId: string, callId: string): EntryDraft => ({
  ...entryDraft(tenantId),
  ...{ callId, phase: "outcome", eventType: "tool_call.finished", outcome: "success" },
});

async function typesOf(tenantId: string, callId?: string): Promise<readonly string[]> {
  const rows = await inTenant(tenantId, (tx) =>
    tx.auditEntry.findMany({ where: { tenantId, ...(callId ? { callId } : {}) }, orderBy: { seq: "asc" } }),
  );
  return rows.map(({ eventType }) => eventType);
}

describe("a second outcome of a call", () => {
  it("is refused by the database, alone or among others, however it is written", async () => {
    const { tenantId } = await createTestTenant();
    const callId = newId();
    await trail().append(outcomeOf(tenantId, callId));
    const second = await prepareEntry(outcomeOf(tenantId, callId));
    const isSecond = (cause: unknown) => trailStore.faultOf(cause) === "second";
    await expect(trailStore.write(tenantId, [second])).rejects.toSatisfy(isSecond);
    await expect(trailStore.writeMissing(tenantId, [second])).rejects.toSatisfy(isSecond);
    await trailStore.write(tenantId, [await prepareEntry(entryDraft(tenantId))]);
    await expect(trailStore.writeTogether([{ tenantId, entries: [second] }])).rejects.toSatisfy(isSecond);

    const beside = Array.from({ length: 20 }, () => newId());
    const calls = [...beside.slice(0, 13), callId, ...beside.slice(13)];
    const settled = await Promise.allSettled(calls.map((id) => trail().append(outcomeOf(tenantId, id))));
    const fallen = settled.flatMap((each, at) => (each.status === "rejected" ? [calls[at]] : []));
    expect(fallen).toEqual([callId]);
    // Nobody else said it, and the call was not ours: there is nothing more to say.
    await delay(1_500);
    expect(await walkTrail(tenantId)).toMatchObject({ valid: true, entries: 22 });
  });

  it("is another matter in another tenant, and so are other words about a call", async () => {
    const [one, other] = [await createTestTenant(), await createTestTenant()];
    const callId = newId();
    await trail().append(outcomeOf(one.tenantId, callId));
    await trail().append(outcomeOf(other.tenantId, callId));
    const word = { ...entryDraft(one.tenantId), callId, phase: "system", eventType: "question.answered" } as const;
    await Promise.all([trail().append(word), trail().append(word)]);
    expect(await typesOf(one.tenantId, callId)).toHaveLength(3);
  });
});

/** A gateway with calls under way. It says how their outcomes went when it is told to end them, and can do new ones. */
const CUT_OFF = `
  import { openDatabase } from "@/lib/db/open-database";
  import { registerProcess } from "@/lib/audit/processes";
  import { trail } from "@/lib/audit/trail";
  import { gatewayId } from "@/lib/audit/gateway-identity";
  import { newId } from "@/lib/core/ids";
  import { createInterface } from "node:readline";
  const [tenantId, count] = process.argv.slice(2);
  await openDatabase();
  await registerProcess();
  const base = () => ({ tenantId, callId: newId(), actor: { type: "agent", id: newId(), name: "bot" }, server: "files", tool: "read_file", decision: "allowed", requestId: newId() });
  const begin = (call) => trail().append({ ...call, phase: "intent", eventType: "tool_call.started", outcome: "pending" });
  const end = (call) => trail().append({ ...call, phase: "outcome", eventType: "tool_call.finished", outcome: "success", latencyMs: 7 }).then(() => "written", ({ code }) => code);
  const calls = Array.from({ length: Number(count) }, base);
  await Promise.all(calls.map(begin));
  const say = (said) => process.stdout.write(JSON.stringify(said) + "\\n");
  say({ gateway: gatewayId() });
  createInterface({ input: process.stdin }).on("line", async (line) => {
    if (line === "end") say(await Promise.all(calls.map(end)));
    if (line === "again") { const call = base(); await begin(call); say([await end(call)]); }
    if (line === "open") say(trail().status().openCalls);
  });
`;

describe("a process that was taken for dead and is not", () => {
  const CALLS = 6;
  let bundle: TestBundle;
  let child: ChildProcess;
  let lines: Interface;
  beforeAll(async () => {
    bundle = await buildForTest(CUT_OFF);
  });
  afterAll(async () => {
    child?.kill("SIGKILL");
    await bundle.remove();
  });

  const heard = async () => JSON.parse(String((await once(lines, "line"))[0]));
  const ask = (word: string) => {
    const answer = heard();
    child.stdin?.write(`${word}\n`);
    return answer;
  };

  /** It stands still, its connections are gone, and it has not been heard of for a minute. */
  async function cutOff(gateway: string): Promise<void> {
    child.kill("SIGSTOP");
    await pool().query(
      `select pg_terminate_backend(l.pid) from pg_locks l join gateway_processes p
        on l.locktype = 'advisory' and ((l.classid::bigint << 32) | l.objid::bigint) = p.lock_key where p.id = $1::uuid`,
      [gateway],
    );
    await pool().query("update gateway_processes set last_seen_at = now() - interval '1 minute' where id = $1::uuid", [
      gateway,
    ]);
  }

  async function eventually(isSo: () => Promise<boolean>): Promise<void> {
    for (let tries = 0; tries < 150 && !(await isSo()); tries += 1) await delay(100);
  }

  it("adds no second outcome to its calls, says what came of them, and goes on", async () => {
    const { tenantId } = await createTestTenant();
    child = spawn(process.execPath, [bundle.entry, tenantId, String(CALLS)], { stdio: ["pipe", "pipe", "inherit"] });
    lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
    const { gateway } = await heard();
    await cutOff(gateway);
    await eventually(async () => {
      await recoverOpenIntents();
      return (await typesOf(tenantId)).includes("tool_call.lost");
    });
    expect(await walkTrail(tenantId)).toMatchObject({ openIntents: 0, unknownOutcomes: CALLS });
    child.kill("SIGCONT");

    expect(await ask("end")).toEqual(Array.from({ length: CALLS }, () => "audit_unavailable"));
    await eventually(async () => (await typesOf(tenantId)).length === 3 * CALLS);
    const entries = await inTenant(tenantId, (tx) => tx.auditEntry.findMany({ where: { tenantId } }));
    const ofPhase = (phase: string) => entries.filter((entry) => entry.phase === phase);
    expect(new Set(ofPhase("outcome").map(({ callId }) => callId)).size).toBe(CALLS);
    expect(ofPhase("outcome").map(({ eventType }) => eventType)).toEqual(Array(CALLS).fill("tool_call.lost"));
    const late = ofPhase("system");
    expect(late).toHaveLength(CALLS);
    for (const entry of late)
      expect(entry).toMatchObject({ eventType: "tool_call.finished_late", outcome: "success", gatewayId: gateway });
    expect(await ask("open")).toBe(0);

    expect(await ask("again")).toEqual(["written"]);
    const closedAt = async () =>
      (await pool().query("select closed_at from gateway_processes where id = $1::uuid", [gateway])).rows[0]?.closed_at;
    await eventually(async () => (await closedAt()) === null);
    expect(await closedAt()).toBeNull();
    const end = { valid: true, openIntents: 0, unknownOutcomes: CALLS, entries: 3 * CALLS + 2 };
    expect(await walkTrail(tenantId)).toMatchObject(end);
  });
});
