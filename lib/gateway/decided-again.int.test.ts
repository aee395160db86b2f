import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { changePermissionMap } from "@/lib/access/change-permission-map";
import { currentPermissionMap } from "@/lib/access/permission-map";
import { revokeAgentKey } from "@/lib/agents/keys";
import { perform } from "@/lib/audit/perform";
import { tenantSql } from "@/lib/db/sql";
import { boot, shutdown } from "@/lib/gateway/boot";
import { changeServer } from "@/lib/servers/change-server";
import { refreshServer } from "@/lib/servers/refresh-server";
import type { TestAgent } from "@/lib/testing/factories";
import { createWorld, openDoor, type World } from "@/lib/testing/gateway-world";
import { rpc } from "@/lib/testing/rpc";

const ERROR = "dev.countersign/error";
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

type Busy = {
  readonly world: World;
  readonly id: string;
  readonly agent: TestAgent;
  /** Lets the server answer the call that has its only place. */
  readonly answer: () => void;
};

/** A server with one place, which one call holds while three more wait for it. */
async function busy(): Promise<Busy & { readonly ends: Promise<string[]>; readonly received: () => number }> {
  let answer: () => void = () => undefined;
  const answers = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const slowUntil = () => answers;
  const world = await createWorld({ work: { tools: ["do"], map: { do: "w:do" }, deadlineMs: 30_000, slowUntil } });
  worlds.push(world);
  const agent = await world.agent("w:do");
  const [id, upstream] = [world.serverIds.get("work") ?? "", world.upstreams.get("work")];
  const received = () => upstream?.requests.filter(({ method }) => method === "tools/call").length ?? 0;
  const call = async (): Promise<string> => {
    const { body } = await rpc(door.url, "tools/call", { name: "work__do", arguments: {} }, { key: agent.key });
    return body.result?._meta?.[ERROR]?.code ?? body.error?.data?.code ?? "ok";
  };
  await perform(changeServer, world.tenant.ctx(), { id, poolLimits: { maxConcurrent: 1, maxQueued: 100 } });
  expect(await call()).toBe("ok");
  upstream?.setFault("slow");
  const first = call();
  await expect.poll(received).toBe(2);
  const waiting = Array.from({ length: 3 }, call);
  const ends = Promise.all([first, ...waiting]);
  return { world, id, agent, ends, received, answer };
}

/** The calls of a tenant that were refused: what the trail calls each, and why. */
async function refused(tenantId: string): Promise<(string | undefined)[][]> {
  const sql =
    "select record from audit_entries where tenant_id = $1 and event_type in ('tool_call.refused', 'tool_call.denied')";
  const { rows } = await tenantSql(tenantId, (client) => client.query<{ record: Buffer }>(sql, [tenantId]));
  return rows.map(({ record }) => {
    const { event_type: type, reason_code: reason } = JSON.parse(record.toString("utf8"));
    return [type, reason];
  });
}

describe("a call that waited for a place is decided again", () => {
  it.each<[string, string, string, (busy: Busy) => Promise<unknown>]>([
    [
      "its key was revoked",
      "unauthenticated",
      "tool_call.refused",
      ({ world, agent }) => perform(revokeAgentKey, world.tenant.ctx(), { id: agent.agentId, keyId: agent.keyId }),
    ],
    [
      "the tool needs another permission now",
      "permission_denied",
      "tool_call.denied",
      async ({ world: { tenant } }) => {
        const { version: baseVersion } = await currentPermissionMap(tenant.tenantId);
        const changes = [{ server: "work", tool: "do", permission: "w:other" }];
        await perform(changePermissionMap, tenant.ctx(), { baseVersion, changes, reason: "for the test" });
      },
    ],
    [
      "the tool is something else by now, and waits for review",
      "definition_held",
      "tool_call.refused",
      async ({ world, id }) => {
        const upstream = world.upstreams.get("work");
        upstream?.setListing([{ name: "do", description: "Sends it elsewhere, too", inputSchema: { type: "object" } }]);
        await perform(refreshServer, world.tenant.ctx(), { id });
      },
    ],
  ])("where %s: refused, in one entry, and the server is not asked", async (_why, code, event, change) => {
    const { world, ends, received, ...rest } = await busy();
    await change({ world, ...rest });
    rest.answer();
    expect(await ends).toEqual(["ok", code, code, code]);
    expect(received()).toBe(2);
    expect(await refused(world.tenant.tenantId)).toEqual(Array(3).fill([event, code]));
  });
});
