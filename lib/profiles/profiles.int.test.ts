import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { perform } from "@/lib/audit/perform";
import { closeGateway } from "@/lib/gateway/compose";
import { changeProfile, createProfile, deleteProfile } from "@/lib/profiles/change-profile";
import { listProfiles } from "@/lib/profiles/read";
import { createTestTenant, type TestAgent, type TestTenant } from "@/lib/testing/factories";
import { createWorld, openDoor, type World } from "@/lib/testing/gateway-world";
import { readTrail } from "@/lib/testing/read-trail";
import { rpc } from "@/lib/testing/rpc";
import { withTestDatabase } from "@/lib/testing/test-database";

withTestDatabase();

const LONG = `a_tool_with_a_very_long_name_${"x".repeat(40)}`;
let world: World;
let other: TestTenant;
let door: Awaited<ReturnType<typeof openDoor>>;
let reader: TestAgent;
let everyone: TestAgent;
let nobody: TestAgent;

beforeAll(async () => {
  other = await createTestTenant();
  world = await createWorld({
    files: {
      tools: ["read_file", "write_file", LONG],
      map: { read_file: "files:read", write_file: "files:write", [LONG]: "files:read" },
    },
    mail: { tools: ["send_mail", "read_mail"], map: { send_mail: "mail:write", read_mail: "mail:read" } },
  });
  door = await openDoor("node");
  reader = await world.agent("files:read", "mail:read");
  everyone = await world.agent("admin:*");
  nobody = await world.agent();
  const make = (input: object) => perform(createProfile, world.tenant.ctx(), input);
  await make({ slug: "reading", name: "Reading", tools: [{ server: "*", tool: "read_*" }] });
  await make({ slug: "wide", name: "Wide", mode: "search", tools: [{ server: "*", tool: "*" }] });
  await make({ slug: "finding", name: "Finding", mode: "search", tools: [{ server: "files", tool: "*" }] });
});
afterAll(async () => {
  await door.close();
  await closeGateway();
  await world.close();
});

const ask = (profile: string, method: string, params: object, agent: TestAgent, era: "modern" | "legacy" = "modern") =>
  rpc(`${door.url}${profile}`, method, params as Record<string, unknown>, { key: agent.key, era });
const names = async (profile: string, agent: TestAgent): Promise<string[]> =>
  (await ask(profile, "tools/list", {}, agent)).body.result.tools.map(({ name }: { name: string }) => name);
const call = (profile: string, name: string, args: object, agent: TestAgent, era: "modern" | "legacy" = "modern") =>
  ask(profile, "tools/call", { name, arguments: args }, agent, era);
const codeOf = (reply: Awaited<ReturnType<typeof call>>) => reply.body.result?._meta["dev.countersign/error"]?.code;
const lastEntries = async (count: number) => (await readTrail(world.tenant.tenantId)).slice(-count);

describe("the door of a profile", () => {
  it("lists what belongs to it and may be called, never more", async () => {
    expect(await names("/p/reading", everyone)).toEqual(["files__read_file", "mail__read_mail"]);
    expect(await names("/p/reading", nobody)).toEqual([]);
    for (const agent of [reader, everyone, nobody]) {
      const joint = new Set(await names("", agent));
      const part = await names("/p/reading", agent);
      expect(part.filter((name) => !joint.has(name))).toEqual([]);
      expect(part).toEqual([...joint].filter((name) => /__read_/.test(name)));
    }
  });

  it("calls what it lists, and knows nothing else", async () => {
    const done = await call("/p/reading", "files__read_file", { m: 1 }, reader);
    expect(done.body.result.content).toEqual([{ type: "text", text: '{"m":1}' }]);
    const outside = await call("/p/reading", "files__write_file", {}, everyone);
    expect(codeOf(outside)).toBe("not_found");
    expect((await lastEntries(1))[0]).toMatchObject({ type: "tool_call.refused" });
    // The control: at the joint door the same agent may.
    expect((await call("", "files__write_file", {}, everyone)).body.result.isError).toBeUndefined();
    expect(codeOf(await call("/p/reading", "files__read_file", {}, nobody))).toBe("permission_denied");
  });

  it("is not there for a profile that is not, and says so with an entry", async () => {
    const reply = await ask("/p/absent", "tools/list", {}, reader);
    expect(reply.status).toBe(404);
    expect(reply.body.error.data).toMatchObject({ code: "not_found", entry: expect.any(String) });
    const stranger = await rpc(`${door.url}/p/reading`, "tools/list", {}, { key: "cs_wrong" });
    expect(stranger.status).toBe(401);
  });
});

describe.each(["modern", "legacy"] as const)("search mode, %s", (era) => {
  it("lists two tools whatever the catalog holds", async () => {
    const reply = await ask("/p/wide", "tools/list", {}, everyone, era);
    expect(reply.body.result.tools.map(({ name }: { name: string }) => name)).toEqual(["search_tools", "call_tool"]);
  });

  it("finds only what the caller may call, and calls it under its own name", async () => {
    const found = async (query: string, agent: TestAgent, profile = "/p/wide") =>
      (await call(profile, "search_tools", { query }, agent, era)).body.result.structuredContent.tools.map(
        ({ name }: { name: string }) => name,
      );
    expect((await found("send a mail", everyone))[0]).toBe("mail__send_mail");
    expect(await found("send a mail", reader)).not.toContain("mail__send_mail");
    expect(await found("mail", everyone, "/p/finding")).toEqual([]);
    expect(await found("read file", nobody)).toEqual([]);
    expect((await lastEntries(1))[0]).toMatchObject({ type: "tool_list.searched", outcome: "success" });
    const before = (await readTrail(world.tenant.tenantId)).length;
    const args = { name: "files__read_file", arguments: { path: "/x" } };
    const done = await call("/p/wide", "call_tool", args, reader, era);
    expect(done.body.result.content).toEqual([{ type: "text", text: '{"path":"/x"}' }]);
    expect(done.body.result._meta["dev.countersign/entry"]).toEqual(expect.any(String));
    const entries = (await readTrail(world.tenant.tenantId)).slice(before);
    expect(entries.map(({ type }) => type)).toEqual(["tool_call.started", "tool_call.finished"]);
    expect(entries.map(({ text }) => text).join("\n")).not.toContain("call_tool");
    expect(world.upstreams.get("files")?.calls.at(-1)).toEqual({ tool: "read_file", args: { path: "/x" } });
  });

  it("refuses through call_tool what would be refused without it", async () => {
    const denied = await call("/p/wide", "call_tool", { name: "files__write_file" }, reader, era);
    expect(codeOf(denied)).toBe("permission_denied");
    expect((await lastEntries(1))[0]).toMatchObject({ type: "tool_call.denied" });
    const outside = await call("/p/finding", "call_tool", { name: "mail__read_mail" }, reader, era);
    expect(codeOf(outside)).toBe("not_found");
    for (const args of [{}, { name: 7 }, { name: "files__read_file", arguments: [] }]) {
      expect((await call("/p/wide", "call_tool", args, reader, era)).body.error.code).toBe(-32602);
    }
    for (const args of [{}, { query: "" }, { query: "x", limit: 26 }, { query: "x".repeat(1_001) }]) {
      expect((await call("/p/wide", "search_tools", args, reader, era)).body.error.code).toBe(-32602);
    }
  });
});

describe("profiles in the console", () => {
  it("tell what they cost and which names are long", async () => {
    const list = await perform(listProfiles, world.tenant.ctx(), {});
    const wide = list.items.find(({ slug }) => slug === "wide");
    const catalog = (await ask("", "tools/list", {}, everyone)).body.result.tools;
    expect(list.everything).toMatchObject({ toolCount: 5, bytes: Buffer.byteLength(JSON.stringify(catalog)) });
    expect(wide?.listCost).toEqual(list.everything);
    expect(wide?.cost.toolCount).toBe(2);
    expect(wide?.longNames).toEqual([`files__${LONG}`]);
    expect(list.items.find(({ slug }) => slug === "reading")).toMatchObject({ toolCount: 2, longNames: [] });
  });

  it("change at once, close their door, and leave entries", async () => {
    const ctx = world.tenant.ctx();
    const input = { slug: "brief", name: "Brief", tools: [{ server: "mail", tool: "read_mail" }] };
    const made = await perform(createProfile, ctx, input);
    await expect(perform(createProfile, ctx, input)).rejects.toMatchObject({ code: "conflict" });
    expect(await names("/p/brief", everyone)).toEqual(["mail__read_mail"]);
    await perform(changeProfile, ctx, { id: made.id, tools: [{ server: "mail", tool: "send_mail" }] });
    expect(await names("/p/brief", everyone)).toEqual(["mail__send_mail"]);
    await perform(deleteProfile, ctx, { id: made.id, reason: "no longer used" });
    expect((await ask("/p/brief", "tools/list", {}, everyone)).status).toBe(404);
    const types = (await readTrail(world.tenant.tenantId)).map(({ type }) => type);
    expect(types.filter((type) => type.startsWith("profile.")).slice(-3)).toEqual([
      "profile.created",
      "profile.changed",
      "profile.deleted",
    ]);
  });

  it("need access:write, and are another tenant's business only", async () => {
    const [first] = (await perform(listProfiles, world.tenant.ctx(), {})).items;
    await expect(perform(deleteProfile, world.tenant.ctx("viewer"), { id: first?.id })).rejects.toMatchObject({
      code: "permission_denied",
    });
    for (const verb of [changeProfile, deleteProfile]) {
      await expect(
        perform<never, never, unknown, unknown>(verb as never, other.ctx(), { id: first?.id }),
      ).rejects.toMatchObject({ code: "not_found" });
    }
    expect((await perform(listProfiles, other.ctx(), {})).items).toEqual([]);
  });
});
