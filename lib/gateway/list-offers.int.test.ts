import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { changePermissionMap } from "@/lib/access/change-permission-map";
import { RESOURCES } from "@/lib/access/primitives";
import { perform } from "@/lib/audit/perform";
import { authorize } from "@/lib/gateway/authorize";
import { boot, shutdown } from "@/lib/gateway/boot";
import { circuits, circuitViews } from "@/lib/gateway/circuits";
import { getGateway } from "@/lib/gateway/compose";
import { type Identity, userIdentity } from "@/lib/gateway/identity";
import { listOffers } from "@/lib/gateway/list-offers";
import { changeServer } from "@/lib/servers/change-server";
import { registerServer } from "@/lib/servers/register-server";
import { disableServer, enableServer } from "@/lib/servers/switch-server";
import { type ConformanceUpstream, startConformanceUpstream } from "@/lib/testing/conformance-upstream";
import { createTestTenant, type TestTenant } from "@/lib/testing/factories";
import { withTestDatabase } from "@/lib/testing/test-database";
// Lets the gateway reach servers on loopback.
import "@/lib/testing/gateway-world";

withTestDatabase();

let tenant: TestTenant;
let upstream: ConformanceUpstream;
let id: string;
beforeAll(async () => {
  await boot();
  tenant = await createTestTenant();
  upstream = await startConformanceUpstream("both");
  const endpoint = { transport: "http", url: upstream.url } as const;
  ({ id } = await perform(registerServer, tenant.ctx(), { slug: "one", name: "one", endpoint }));
  await perform(changeServer, tenant.ctx(), { id, poolLimits: { maxConcurrent: 1, maxQueued: 10 } });
  await perform(enableServer, tenant.ctx(), { id });
  const changes = [{ server: "one", tool: RESOURCES, permission: "admin:*" }];
  await perform(changePermissionMap, tenant.ctx(), { baseVersion: 0, changes, reason: "for the test" });
});
afterAll(async () => {
  await upstream.close();
  await shutdown();
});

it("asks no server that was disabled while the list waited for a place there, and does not blame it", async () => {
  const [gateway, identity] = [getGateway(), userIdentity(tenant.ctx())];
  const list = () => listOffers(gateway, identity, "resources/list", "one");
  expect((await list()).offers.length).toBeGreaterThan(0);

  const [map, servers] = [await gateway.permissionMap(tenant.tenantId), await gateway.servers(tenant.tenantId)];
  const target = { method: "resources/list", params: {}, target: "" } as const;
  const passage = await gateway.circuits.enter(
    authorize(identity, map, servers, { server: "one", tool: RESOURCES }, target),
  );
  const waiting = expect(list()).rejects.toMatchObject({ code: "server_disabled" });
  await perform(disableServer, tenant.ctx(), { id, reason: "maintenance" });
  passage.leave("success");
  await waiting;

  await perform(enableServer, tenant.ctx(), { id });
  expect((await list()).offers.length).toBeGreaterThan(0);
  expect(circuitViews(tenant.tenantId).get("one")).toMatchObject({ kind: "closed", consecutiveFailures: 0 });
});

/** Something is done while the list waits for the only place; how the list then ends. */
async function whileItWaits(change: () => Promise<unknown>, identity: Identity): Promise<string> {
  const gateway = getGateway();
  const [map, servers] = [await gateway.permissionMap(tenant.tenantId), await gateway.servers(tenant.tenantId)];
  const target = { method: "resources/list", params: {}, target: "" } as const;
  const passage = await gateway.circuits.enter(
    authorize(identity, map, servers, { server: "one", tool: RESOURCES }, target),
  );
  const waiting = listOffers(gateway, identity, "resources/list", "one").then(
    () => "ok",
    (cause: { code: string }) => cause.code,
  );
  await vi.waitFor(() => expect(circuits().seats(tenant.tenantId).get("one")?.queued).toBe(1));
  await change();
  passage.leave("success");
  return waiting;
}

it("asks no server for somebody who lost the permission while the list waited for a place there", async () => {
  const map = (baseVersion: number, permission: string) => {
    const changes = [{ server: "one", tool: RESOURCES, permission }];
    return perform(changePermissionMap, tenant.ctx(), { baseVersion, changes, reason: "for the test" });
  };
  await map(1, "one:read");
  const identity = userIdentity(tenant.ctx());
  const held = new Set(["one:read"]);
  expect(await whileItWaits(() => map(2, "one:other"), { ...identity, permissions: held })).toBe("permission_denied");
  await map(3, "admin:*");
});

it("holds nothing against a server that it has not asked yet, because our database is slow", async () => {
  await perform(changeServer, tenant.ctx(), { id, deadlineMs: 300 });
  const gateway = getGateway();
  const killSwitches: typeof gateway.killSwitches = async (tenantId) => {
    await new Promise((resolve) => setTimeout(resolve, 400));
    return gateway.killSwitches(tenantId);
  };
  const slow = { ...gateway, killSwitches };
  const list = () => listOffers(slow, userIdentity(tenant.ctx()), "resources/list", "one");
  expect((await list()).offers.length).toBeGreaterThan(0);
  expect(circuitViews(tenant.tenantId).get("one")).toMatchObject({ kind: "closed", consecutiveFailures: 0 });
});
