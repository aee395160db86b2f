import { describe, expect, it } from "vitest";
import type { EntryDraft } from "@/lib/audit/entry";
import { makeRefusalLedger } from "@/lib/audit/refusal-ledger";
import { newId, PLATFORM_TENANT_ID } from "@/lib/core/ids";

const draft: EntryDraft = {
  tenantId: PLATFORM_TENANT_ID,
  actor: { type: "anonymous", id: "anonymous", name: "anonymous" },
  phase: "auth",
  eventType: "authentication.refused",
  outcome: "denied",
  requestId: "request-1",
};

function setup() {
  const written: EntryDraft[] = [];
  let now = 0;
  const ledger = makeRefusalLedger({
    clock: { now: () => now },
    append: async (each) => {
      const eventId = each.eventId ?? newId();
      written.push({ ...each, eventId });
      return { tenantId: each.tenantId, eventId, seq: written.length, hash: "" };
    },
    owe: async (each) => void written.push(each),
  });
  return { written, ledger, tick: (ms: number) => (now += ms) };
}

describe("refusals of strangers", () => {
  it("get an entry each for the first ten in a minute, then share one that is counted", async () => {
    const { written, ledger } = setup();
    const ids: string[] = [];
    for (let refusal = 0; refusal < 1_000; refusal += 1) ids.push(await ledger.record("address:1", draft));
    expect(new Set(ids.slice(0, 10)).size).toBe(10);
    expect(new Set(ids.slice(10)).size).toBe(1);
    expect(written).toHaveLength(10);
    await ledger.flush();
    expect(written).toHaveLength(11);
    expect(written[10]).toMatchObject({ eventId: ids[10], count: 990 });
  });

  it("are counted by address and by minute", async () => {
    const { written, ledger, tick } = setup();
    for (let refusal = 0; refusal < 12; refusal += 1) await ledger.record("address:1", draft);
    await ledger.record("address:2", draft);
    expect(written).toHaveLength(11);
    tick(60_000);
    await ledger.record("address:1", draft);
    expect(written.filter((each) => each.count === 2)).toHaveLength(1);
    expect(written).toHaveLength(13);
  });

  it("share what they have in common, and nothing that is true of some", async () => {
    const { written, ledger } = setup();
    const known = { ...draft, reasonCode: "revoked_key", target: "/api/mcp", ip: "192.0.2.1", userAgent: "one" };
    for (let refusal = 0; refusal < 10; refusal += 1) await ledger.record("key:1", known);
    await ledger.record("key:1", known);
    await ledger.record("key:1", { ...known, ip: "198.51.100.7", userAgent: "two" });
    await ledger.record("key:1", known);
    await ledger.flush();
    const shared = written.at(-1);
    expect(shared).toMatchObject({ count: 3, reasonCode: "revoked_key", target: "/api/mcp", actor: draft.actor });
    expect([shared?.ip, shared?.userAgent]).toEqual([undefined, undefined]);

    for (const reasonCode of ["a", "b", "a"]) {
      for (let refusal = 0; refusal < 10; refusal += 1) await ledger.record("key:2", { ...draft, reasonCode });
    }
    await ledger.flush();
    expect(written.at(-1)).toMatchObject({ count: 20, reasonCode: "several_reasons" });

    const named = (name: string): EntryDraft => ({ ...draft, actor: { type: "anonymous", id: "anonymous", name } });
    for (let refusal = 0; refusal < 12; refusal += 1) await ledger.record("address:9", named(`guess-${refusal}`));
    await ledger.flush();
    expect(written.at(-1)).toMatchObject({ count: 2, actor: { type: "anonymous", name: "several callers" } });
  });

  it("are counted by what happened, too, where the callers are countless", async () => {
    const { written, ledger } = setup();
    for (let address = 0; address < 10_000; address += 1) await ledger.record(`address:${address}`, draft);
    const greeting: EntryDraft = { ...draft, eventType: "connection.opened", outcome: "success" };
    for (let at = 0; at < 15; at += 1) {
      await ledger.record(`greeting:${at}`, greeting);
      await ledger.record(`refused:${at}`, draft);
    }
    await ledger.flush();
    const counted = written.filter(({ count }) => count !== undefined);
    expect(counted.map(({ eventType, outcome, count }) => [eventType, outcome, count])).toEqual([
      ["connection.opened", "success", 5],
      ["authentication.refused", "denied", 5],
    ]);
  });

  it("stay bounded when the addresses are countless", async () => {
    const { written, ledger } = setup();
    for (let address = 0; address < 12_000; address += 1) await ledger.record(`address:${address}`, draft);
    expect(written).toHaveLength(10_010);
  });

  it("are owed all at once when the process ends, whatever the first has to wait for", async () => {
    const owed: string[] = [];
    const ledger = makeRefusalLedger({
      append: async ({ tenantId }) => ({ tenantId, eventId: newId(), seq: 1, hash: "" }),
      owe: ({ reason = "" }) => (owed.push(reason) === 1 ? new Promise(() => undefined) : Promise.resolve()),
      individually: 0,
    });
    for (const reason of ["a", "b", "c"]) await ledger.record(reason, { ...draft, reason });
    void ledger.flush();
    expect(owed).toEqual(["a", "b", "c"]);
  });

  it("are counted by tenant even then, and laid at nobody's door", async () => {
    const { written, ledger } = setup();
    for (let address = 0; address < 10_000; address += 1) await ledger.record(`address:${address}`, draft);
    const agent = { ...draft, actor: { type: "agent", id: newId(), name: "first-bot" }, ip: "192.0.2.1" } as const;
    const [one, other] = [newId(), newId()];
    for (let at = 0; at < 15; at += 1) {
      await ledger.record(`agent:${at}`, { ...agent, tenantId: one });
      await ledger.record(`agent:${at}`, { ...agent, tenantId: other });
    }
    await ledger.flush();
    const counted = written.filter(({ count }) => count !== undefined);
    expect(counted.map(({ tenantId, count }) => [tenantId, count])).toEqual([
      [one, 5],
      [other, 5],
    ]);
    for (const entry of counted) {
      expect(entry.actor).toEqual({ type: "anonymous", id: "several", name: "several callers" });
      expect(entry.ip).toBeNull();
    }
  });
});
