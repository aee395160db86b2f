import { afterAll, beforeAll, expect, it } from "vitest";
import { changePermissionMap } from "@/lib/access/change-permission-map";
import { currentPermissionMap } from "@/lib/access/permission-map";
import { perform } from "@/lib/audit/perform";
import { boot, shutdown } from "@/lib/gateway/boot";
import { probeNow } from "@/lib/servers/probe-now";
import { startFakeUpstream } from "@/lib/testing/fake-upstream";
import { createWorld, openDoor } from "@/lib/testing/gateway-world";
import { rpc } from "@/lib/testing/rpc";

beforeAll(() => boot());
afterAll(() => shutdown());

/** With `files__` before it, 64 and 65 characters. */
const [FITS, LONG] = ["a".repeat(57), "b".repeat(58)];

it("a name over 64 characters on the joint door is warned of, and neither cut nor left out", async () => {
  const upstream = await startFakeUpstream({ tools: [FITS, LONG] });
  const { warnings } = await probeNow("files", { transport: "http", url: upstream.url }, undefined);
  await upstream.close();
  expect(warnings).toEqual([`Some clients refuse the name files__${LONG}: it is longer than 64 characters.`]);

  const world = await createWorld({ files: { tools: [FITS, LONG], deadlineMs: 30_000 } });
  const door = await openDoor("node");
  const { version } = await currentPermissionMap(world.tenant.tenantId);
  const changes = [FITS, LONG].map((tool) => ({ server: "files", tool, permission: "files:read" }));
  await perform(changePermissionMap, world.tenant.ctx(), { baseVersion: version, changes, reason: "for the test" });
  const { key } = await world.agent("files:read");
  const listed = await rpc(door.url, "tools/list", {}, { key });
  const names = listed.body.result.tools.map(({ name }: { name: string }) => name);
  expect(names).toEqual([`files__${FITS}`, `files__${LONG}`]);
  const called = await rpc(door.url, "tools/call", { name: `files__${LONG}`, arguments: {} }, { key });
  expect(called.body.result.isError).toBeUndefined();
  await door.close();
  await world.close();
});
