import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { resetSingleton } from "@/lib/core/singleton";
import { createTestAgent, createTestTenant, type TestTenant } from "@/lib/testing/factories";
import { openDoor } from "@/lib/testing/gateway-world";
import { readTrail } from "@/lib/testing/read-trail";
import { withTestDatabase } from "@/lib/testing/test-database";

withTestDatabase();

let tenant: TestTenant;
let door: Awaited<ReturnType<typeof openDoor>>;

beforeAll(async () => {
  tenant = await createTestTenant();
  door = await openDoor("node");
});
afterAll(async () => {
  vi.unstubAllEnvs();
  for (const name of ["env", "trusted-proxies"]) resetSingleton(name);
  await door.close();
});

async function ipInTrail(proxies: string): Promise<string> {
  vi.stubEnv("TRUSTED_PROXIES", proxies);
  for (const name of ["env", "trusted-proxies"]) resetSingleton(name);
  const { key } = await createTestAgent(tenant, ["files:read"]);
  const headers = {
    authorization: `Bearer ${key}`,
    "content-type": "application/json",
    "x-forwarded-for": "192.0.2.66, 198.51.100.7",
  };
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list", params: {} });
  expect((await fetch(door.url, { method: "POST", headers, body })).status).toBeLessThan(500);
  return (await readTrail(tenant.tenantId)).at(-1)?.text ?? "";
}

it("entries name who asked our proxy, where it is known as one, and otherwise who connected", async () => {
  expect(await ipInTrail("127.0.0.0/8, ::1")).toContain('"src_ip":"198.51.100.7"');
  expect(await ipInTrail("10.0.0.0/8")).toMatch(/"src_ip":"(127\.0\.0\.1|::1)"/);
});
