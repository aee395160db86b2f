import { once } from "node:events";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { perform } from "@/lib/audit/perform";
import { createChannel } from "@/lib/channels/create-channel";
import { makeDelivery } from "@/lib/channels/deliver-notices";
import { listNotices } from "@/lib/channels/read";
import { resetSingleton } from "@/lib/core/singleton";
import { tenantSql } from "@/lib/db/sql";
import type { TestBundle } from "@/lib/testing/bundle";
import { buildDeliveryProcess, startDeliveryProcess } from "@/lib/testing/delivery-process";
import { createTestTenant, type TestTenant } from "@/lib/testing/factories";
import { type Receiver, startReceiver, tell } from "@/lib/testing/notice-receiver";
import { withTestDatabase } from "@/lib/testing/test-database";

withTestDatabase();

let tenant: TestTenant;
let receiver: Receiver;
let bundle: TestBundle;

beforeAll(async () => {
  vi.stubEnv("EGRESS_ALLOW", "127.0.0.0/8");
  resetSingleton("env");
  [tenant, receiver, bundle] = await Promise.all([createTestTenant(), startReceiver(), buildDeliveryProcess()]);
});
afterAll(async () => {
  await receiver.close();
  await bundle.remove();
  vi.unstubAllEnvs();
  resetSingleton("env");
});

const letTheHoldEnd = () =>
  tenantSql(tenant.tenantId, (client) =>
    client.query("update alert_notices set next_at = now() where tenant_id = $1 and state = 'waiting'", [
      tenant.tenantId,
    ]),
  );

async function deliverHere(): Promise<void> {
  const delivery = makeDelivery();
  await delivery.look();
  await delivery.settled();
}

it("a process that is killed between sending and noting it leaves a repetition with the same id, not a gap", async () => {
  const target = { kind: "webhook", url: receiver.url };
  const { id } = await perform(createChannel, tenant.ctx(), { name: "ops", target });
  await tell(tenant.tenantId);
  const child = startDeliveryProcess(bundle);
  const ended = once(child, "exit");
  receiver.answer = async () => {
    child.kill("SIGKILL");
    await ended;
    return 200;
  };
  expect(await ended).toEqual([null, "SIGKILL"]);
  expect(receiver.received).toHaveLength(1);

  // The hold of the dead process still lasts: nobody else tries.
  await deliverHere();
  expect(receiver.received).toHaveLength(1);
  const [held] = (await perform(listNotices, tenant.ctx(), { id })).items;
  expect(held).toMatchObject({ state: "waiting", attempts: 1, log: [{ number: 1, delivered: null, error: null }] });
  expect(Date.parse(held?.nextAt ?? "") - Date.parse(held?.log[0]?.at ?? "")).toBeGreaterThanOrEqual(50_000);

  await letTheHoldEnd();
  receiver.answer = () => 200;
  await deliverHere();
  const [notice] = (await perform(listNotices, tenant.ctx(), { id })).items;
  expect(notice).toMatchObject({ state: "delivered", attempts: 2, log: [{ delivered: true }, { delivered: null }] });
  expect(receiver.received.map(({ headers }) => headers["webhook-id"])).toEqual([notice?.id, notice?.id]);
});
