import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { boot, shutdown } from "@/lib/gateway/boot";
import { circuitViews } from "@/lib/gateway/circuits";
import { tryTool } from "@/lib/gateway/try-tool";
import { probeNow } from "@/lib/servers/probe-now";
import { startFakeUpstream } from "@/lib/testing/fake-upstream";
import { createWorld, openDoor, type World } from "@/lib/testing/gateway-world";
import { readTrail } from "@/lib/testing/read-trail";
import { rpc } from "@/lib/testing/rpc";

const [ERROR, LIMIT, ENTRY] = ["dev.countersign/error", "dev.countersign/limit", "dev.countersign/entry"];
const pay = {
  type: "object",
  properties: { amount: { type: "integer", minimum: 1 }, to: { type: "string", pattern: "^[A-Z]{2}[0-9]+$" } },
  required: ["amount", "to"],
  additionalProperties: false,
};
const strange = { $schema: "https://example.test/of-our-own", type: "object" };
const inputSchemas = { pay, strange };
const worlds: World[] = [];
let door: Awaited<ReturnType<typeof openDoor>>;

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

async function open() {
  const map = { pay: "bank:pay", strange: "bank:pay" };
  const world = await createWorld({ bank: { tools: ["pay", "strange"], map, inputSchemas, deadlineMs: 30_000 } });
  worlds.push(world);
  const { key } = await world.agent("bank:pay");
  const call = (args: object, tool = "pay", era: "modern" | "legacy" = "modern") =>
    rpc(door.url, "tools/call", { name: `bank__${tool}`, arguments: args }, { key, era });
  const trail = async () =>
    (await readTrail(world.tenant.tenantId)).filter(({ type }) => type.startsWith("tool_call."));
  return { world, call, trail, upstream: world.upstreams.get("bank") };
}

describe("arguments that a tool does not ask for", () => {
  it.each(["modern", "legacy"] as const)("are refused in words a model can act on, in the %s era", async (era) => {
    const { call, trail, upstream } = await open();
    const { status, body } = await call({ amount: 0, to: "Jane Doe", note: "salary" }, "pay", era);
    expect(status).toBe(200);
    expect(body.result.isError).toBe(true);
    expect(body.result._meta[ERROR]).toMatchObject({
      code: "invalid_arguments",
      issues: [
        { path: "", rule: 'has a property other than "to", "amount"' },
        { path: "/to", rule: "must match the pattern ^[A-Z]{2}[0-9]+$" },
        { path: "/amount", rule: "must be at least 1" },
      ],
    });
    expect(body.result.content[0].text).toContain("/amount must be at least 1");
    expect(body.result._meta[LIMIT].remaining).toBeLessThan(body.result._meta[LIMIT].limit);
    expect(upstream?.calls).toEqual([]);
    const entries = await trail();
    expect(entries).toMatchObject([
      { type: "tool_call.refused", outcome: "failure", payload: { arguments: { to: "Jane Doe" } } },
    ]);
    const record = entries[0]?.text.slice(0, entries[0].text.indexOf("} {") + 1) ?? "";
    expect(JSON.parse(record)).toMatchObject({
      event_id: body.result._meta[ENTRY],
      reason_code: "invalid_arguments",
      permission: "bank:pay",
      rule_id: "map:bank/pay=bank:pay",
    });
    expect(record).toContain("/amount must be at least 1");
    for (const given of ["Jane", "salary", "note"]) expect(record).not.toContain(given);
    expect((await call({ amount: 1, to: "DE1" }, "pay", era)).body.result.isError).toBeUndefined();
    expect(upstream?.calls).toHaveLength(1);
  });

  it("open nobody's circuit, however often", async () => {
    const [bad, good] = [await open(), await open()];
    for (let round = 0; round < 20; round += 1) {
      const replies = await Promise.all(Array.from({ length: 50 }, () => bad.call({ amount: "all" })));
      const codes = replies.map(({ body }) => body.result._meta[ERROR].code);
      expect(new Set(codes)).toEqual(new Set(["invalid_arguments"]));
    }
    expect(bad.upstream?.calls).toEqual([]);
    for (const { call, world } of [bad, good]) {
      expect((await call({ amount: 1, to: "DE1" })).body.result.isError).toBeUndefined();
      expect(circuitViews(world.tenant.tenantId).get("bank")).toMatchObject({ kind: "closed", consecutiveFailures: 0 });
    }
  });

  it("are refused to a person who tries a tool, too", async () => {
    const { world, upstream } = await open();
    const input = { id: world.serverIds.get("bank") ?? "", tool: "pay", arguments: { amount: 1 } };
    const tried = await tryTool(world.tenant.ctx(), input);
    expect(tried).toMatchObject({ ok: false, error: { code: "invalid_arguments" } });
    expect(tried.error?.message).toContain("/to is required");
    expect(upstream?.calls).toEqual([]);
  });
});

describe("a schema that cannot be used", () => {
  it("stops no call, and the intent of each says that nobody checked", async () => {
    const { call, trail, upstream } = await open();
    expect((await call({ any: "thing" }, "strange")).body.result.isError).toBeUndefined();
    expect(upstream?.calls).toEqual([{ tool: "strange", args: { any: "thing" } }]);
    const [intent, outcome] = await trail();
    expect(intent).toMatchObject({ type: "tool_call.started" });
    expect(intent?.text).toContain('"reason_code":"arguments_unchecked"');
    expect(intent?.text).toContain("a dialect that is not known here (https://example.test/of-our-own)");
    expect(outcome).toMatchObject({ type: "tool_call.finished", outcome: "success" });
  });

  it("is told to whoever registers the server", async () => {
    const upstream = await startFakeUpstream({ tools: ["pay", "strange"], inputSchemas });
    const { warnings } = await probeNow("bank", { transport: "http", url: upstream.url }, undefined);
    await upstream.close();
    expect(warnings).toEqual([expect.stringContaining("Arguments of strange are not checked")]);
  });
});
