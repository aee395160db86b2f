import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { changePermissionMap } from "@/lib/access/change-permission-map";
import { currentPermissionMap } from "@/lib/access/permission-map";
import { perform } from "@/lib/audit/perform";
import { boot, shutdown } from "@/lib/gateway/boot";
import { tryTool } from "@/lib/gateway/try-tool";
import { changeToolCache } from "@/lib/limits/change-handling";
import { MODERN_VERSION } from "@/lib/mcp/upstream/protocol";
import { registerServer } from "@/lib/servers/register-server";
import { enableServer } from "@/lib/servers/switch-server";
import { createTestAgent, createTestTenant, type TestTenant } from "@/lib/testing/factories";
import { openDoor } from "@/lib/testing/gateway-world";
import { LARGE_TRANSPORTS, startLargeUpstream } from "@/lib/testing/large-upstream";
import { readTrail } from "@/lib/testing/read-trail";
import { rpc } from "@/lib/testing/rpc";
import { withTestDatabase } from "@/lib/testing/test-database";

withTestDatabase();

const rows = (count: number) => Array.from({ length: count }, (_, at) => ({ type: "text", text: `row é "${at}` }));
const RESULT = {
  content: rows(10_000),
  structuredContent: { big: "x".repeat(400_000), n: 1 },
  _meta: { from: "large" },
};
const OURS = "dev.countersign/entry";

let tenant: TestTenant;
let key: string;
let door: Awaited<ReturnType<typeof openDoor>>;
const ids = new Map<string, string>();
const closers: (() => unknown)[] = [];
beforeAll(async () => {
  await boot();
  tenant = await createTestTenant();
  for (const slug of LARGE_TRANSPORTS) {
    const { endpoint, close } = await startLargeUpstream(slug);
    closers.push(close);
    const { id } = await perform(registerServer, tenant.ctx(), { slug, name: slug, endpoint });
    await perform(enableServer, tenant.ctx(), { id });
    ids.set(slug, id);
  }
  const { version } = await currentPermissionMap(tenant.tenantId);
  const tools = ["rows", "failure", "links", "resources:read"];
  const changes = LARGE_TRANSPORTS.flatMap((server) =>
    tools.map((tool) => ({ server, tool, permission: "large:use" })),
  );
  await perform(changePermissionMap, tenant.ctx(), { baseVersion: version, changes, reason: "for the test" });
  key = (await createTestAgent(tenant, ["large:use"])).key;
  door = await openDoor("node");
});
afterAll(async () => {
  await door.close();
  await shutdown();
  for (const close of closers) close();
});

const call = (server: string, options: Partial<Parameters<typeof rpc>[3]> = {}, name = "rows") =>
  rpc(door.url, "tools/call", { name: `${server}__${name}`, arguments: {} }, { key, era: "legacy", ...options });

type Cut = { readonly bytes: number; readonly sha256: string; readonly start: string };

/** What the trail keeps of the latest result. */
async function latestResult(): Promise<Cut> {
  const payload = (await readTrail(tenant.tenantId)).at(-1)?.payload as { result?: { $cut: Cut } } | null | undefined;
  return payload?.result?.$cut ?? { bytes: 0, sha256: "", start: "" };
}

/** The first answer that is given again: an answer is packed and kept after it was released, so the next call may come too early. */
async function untilKept<T>(makeCall: () => Promise<T>): Promise<T> {
  let answer = await makeCall();
  const outcome = async () => (await readTrail(tenant.tenantId)).at(-1)?.text;
  const isHit = async () => {
    if ((await outcome())?.includes('"cache":"hit"')) return true;
    answer = await makeCall();
    return false;
  };
  await expect.poll(isHit, { timeout: 5_000 }).toBe(true);
  return answer;
}

describe.each(LARGE_TRANSPORTS)("a large answer over %s", (transport) => {
  it("arrives as the server gave it, and the trail keeps its digest", async () => {
    const { body, headers, text } = await call(transport);
    const { _meta, ...result } = body.result;
    expect({ ...result, _meta: { from: _meta.from } }).toEqual(RESULT);
    expect(_meta[OURS]).toEqual(expect.any(String));
    expect(Number(headers.get("content-length"))).toBe(Buffer.byteLength(text));
    const compact = JSON.stringify(RESULT);
    expect(await latestResult()).toEqual({
      bytes: Buffer.byteLength(compact),
      sha256: createHash("sha256").update(compact).digest("hex"),
      start: compact.slice(0, (await latestResult()).start.length),
    });
  });

  it("says of itself that it failed", async () => {
    const { body } = await call(transport, {}, "failure");
    expect(body.result).toMatchObject({ isError: true, content: rows(10_000) });
    expect((await readTrail(tenant.tenantId)).at(-1)).toMatchObject({ outcome: "failure" });
  });

  it("has links that can be read at the door that it came through", async () => {
    const { body } = await call(transport, {}, "links");
    expect(body.result.content).toHaveLength(10_000);
    const last = { type: "resource_link", name: 'row é "9999' };
    expect(body.result.content.at(-1)).toEqual({ ...last, uri: `${transport}+file:///9999` });
    const own = await rpc(`${door.url}/${transport}`, "tools/call", { name: "links", arguments: {} }, { key });
    expect(own.body.result.content.at(-1)).toEqual({ ...last, uri: "file:///9999" });
  });

  it("of a resource names its contents so that they can be read again", async () => {
    const read = (path: string, uri: string) =>
      rpc(`${door.url}${path}`, "resources/read", { uri }, { key, era: "legacy" });
    const joint = (await read("", `${transport}+file:///all`)).body.result.contents;
    expect(joint).toHaveLength(10_000);
    expect(joint.at(-1)).toEqual({ uri: `${transport}+file:///9999`, text: 'row é "9999' });
    expect((await read(`/${transport}`, "file:///all")).body.result.contents.at(-1).uri).toBe("file:///9999");
    expect((await read("", `${transport}+small`)).body.result.contents).toHaveLength(1);
  });
});

describe("a large answer", () => {
  const events = (text: string) =>
    text.split("\n\n").flatMap((event) => {
      const data = /^data: (.*)$/m.exec(event)?.[1];
      return data === undefined ? [] : [JSON.parse(data)];
    });

  it("comes in the shape that the caller prefers, in either era and at either mount", async () => {
    const accept = { accept: "text/event-stream, application/json" };
    expect(events((await call("json", { headers: accept })).text).at(-1).result.content).toEqual(RESULT.content);
    const modern = await call("json", { era: "modern" });
    expect(modern.body.result).toMatchObject({ ...RESULT, resultType: "complete" });
    const web = await openDoor("web");
    closers.push(web.close);
    const name = { name: "json__rows", arguments: {} };
    expect((await rpc(web.url, "tools/call", name, { key, era: "legacy" })).body.result).toMatchObject(RESULT);
  });

  it("comes over a WebSocket, whole or at the end of a stream", async () => {
    const socket = new WebSocket(`${door.url.replace("http", "ws")}/ws`, ["mcp"], {
      headers: { authorization: `Bearer ${key}`, "mcp-protocol-version": MODERN_VERSION },
    });
    await new Promise((resolve, reject) => socket.on("open", resolve).on("error", reject));
    for (const _meta of [undefined, { progressToken: 1 }]) {
      const said = new Promise<string>((resolve) => socket.once("message", (data) => resolve(String(data))));
      const params = { name: "json__rows", arguments: {}, ...(_meta === undefined ? {} : { _meta }) };
      socket.send(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params }));
      expect(JSON.parse(await said).result).toMatchObject(RESULT);
    }
    socket.terminate();
  });

  it("is shown whole to whoever tries the tool in the console", async () => {
    const id = ids.get("json") ?? "";
    const tried = await tryTool(tenant.ctx(), { id, tool: "rows", arguments: {} });
    expect(tried).toMatchObject({ ok: true, content: RESULT });
  });

  it("is kept where a tenant wants that, and given again as it was", async () => {
    const id = ids.get("events") ?? "";
    await perform(changeToolCache, tenant.ctx(), { id, tool: "rows", ttlMs: 60_000, reason: "for the test" });
    const first = await call("events");
    const again = await untilKept(() => call("events"));
    expect(again.body.result).toMatchObject(RESULT);
    expect(again.body.result._meta[OURS]).not.toBe(first.body.result._meta[OURS]);
    expect((await latestResult()).bytes).toBe(Buffer.byteLength(JSON.stringify(RESULT)));
  });

  it("has the same links when it is given again", async () => {
    const id = ids.get("events") ?? "";
    await perform(changeToolCache, tenant.ctx(), { id, tool: "links", ttlMs: 60_000, reason: "for the test" });
    const first = await call("events", {}, "links");
    const again = await untilKept(() => call("events", {}, "links"));
    expect(again.body.result.content).toEqual(first.body.result.content);
    expect(again.body.result.content[0].uri).toBe("events+file:///0");
  });
});
