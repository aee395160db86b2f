import { afterAll, beforeAll, expect, it } from "vitest";
import { changePermissionMap } from "@/lib/access/change-permission-map";
import { RESOURCES } from "@/lib/access/primitives";
import { perform } from "@/lib/audit/perform";
import { authorize } from "@/lib/gateway/authorize";
import { boot, shutdown } from "@/lib/gateway/boot";
import { circuitViews } from "@/lib/gateway/circuits";
import { getGateway } from "@/lib/gateway/compose";
import { userIdentity } from "@/lib/gateway/identity";
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
  expect((await list()).length).toBeGreaterThan(0);

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
  expect((await list()).length).toBeGreaterThan(0);
  expect(circuitViews(tenant.tenantId).get("one")).toMatchObject({ kind: "closed", consecutiveFailures: 0 });
});
