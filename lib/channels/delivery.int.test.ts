import { createHmac, timingSafeEqual } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { perform } from "@/lib/audit/perform";
import { changeChannel, deleteChannel } from "@/lib/channels/change-channel";
import { createChannel } from "@/lib/channels/create-channel";
import { makeDelivery } from "@/lib/channels/deliver-notices";
import { listChannels, listNotices } from "@/lib/channels/read";
import type { ChannelWithSecret } from "@/lib/channels/schemas";
import { newId } from "@/lib/core/ids";
import { resetSingleton } from "@/lib/core/singleton";
import { inTenant } from "@/lib/db/in-tenant";
import { tenantSql } from "@/lib/db/sql";
import { createTestTenant, type TestTenant } from "@/lib/testing/factories";
import { type Answer, type Received, type Receiver, startReceiver, tell } from "@/lib/testing/notice-receiver";
import { withTestDatabase } from "@/lib/testing/test-database";

withTestDatabase();

let tenant: TestTenant;
let receiver: Receiver;

beforeAll(() => {
  vi.stubEnv("EGRESS_ALLOW", "127.0.0.0/8");
  resetSingleton("env");
});
afterAll(() => {
  vi.unstubAllEnvs();
  resetSingleton("env");
});
beforeEach(async () => {
  tenant = await createTestTenant();
  receiver = await startReceiver();
});
afterEach(async () => {
  // What a test left waiting must not be delivered by the next one.
  await tenantSql(tenant.tenantId, (client) =>
    client.query(
      "update alert_notices set state = 'failed', ended_at = now() where tenant_id = $1 and ended_at is null",
      [tenant.tenantId],
    ),
  );
  await receiver.close();
});

const open = (name = "ops", url = receiver.url, extra: object = {}): Promise<ChannelWithSecret> =>
  perform(createChannel, tenant.ctx(), { name, target: { kind: "webhook", url }, ...extra });
const notices = async (id: string) => (await perform(listNotices, tenant.ctx(), { id })).items;
const eventOf = ({ body }: Received): string => JSON.parse(body).type;
const idOf = ({ headers }: Received): string => String(headers["webhook-id"]);

/** Looks, delivers what is due, and is done. */
async function deliver(deadlineMs?: number): Promise<void> {
  const delivery = makeDelivery(deadlineMs === undefined ? {} : { deadlineMs });
  await delivery.look();
  await delivery.settled();
}

/** Time passes: what waits is due. */
const pass = () =>
  tenantSql(tenant.tenantId, (client) =>
    client.query("update alert_notices set next_at = now() where tenant_id = $1 and state = 'waiting'", [
      tenant.tenantId,
    ]),
  );

/** A receiver's own check, written from the specification and not from our code. */
function isSigned({ headers, body }: Received, secret: string): boolean {
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const content = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
  const expected = createHmac("sha256", key).update(content).digest();
  return String(headers["webhook-signature"])
    .split(" ")
    .map((part) => Buffer.from(part.replace(/^v1,/, ""), "base64"))
    .some((given) => given.length === expected.length && timingSafeEqual(given, expected));
}

describe("a webhook", () => {
  it("is told once, signed, and the log says how it went", async () => {
    const { id, secret } = await open();
    const alertId = await tell(tenant.tenantId);
    await deliver();
    await pass();
    await deliver();
    expect(receiver.received).toHaveLength(1);
    const [got] = receiver.received as [Received];
    expect(isSigned(got, secret ?? "")).toBe(true);
    expect(isSigned({ ...got, body: got.body.replace("billing", "hiding") }, secret ?? "")).toBe(false);
    expect(isSigned(got, `whsec_${Buffer.alloc(32).toString("base64")}`)).toBe(false);
    expect(Math.abs(Number(got.headers["webhook-timestamp"]) * 1_000 - Date.now())).toBeLessThan(120_000);
    expect(got.path).toBe("/hook/t0p-s3cret?token=q-s3cret");
    expect(JSON.parse(got.body)).toMatchObject({
      version: 1,
      type: "alert.firing",
      tenant: tenant.slug,
      data: { alertId },
    });
    const [notice] = await notices(id);
    expect(notice).toMatchObject({ id: idOf(got), alertId, state: "delivered", attempts: 1, nextAt: null });
    expect(notice?.log).toMatchObject([{ number: 1, delivered: true, status: 200, error: null }]);
  });

  it("that is down gets it afterwards, in order, under the same id", async () => {
    const { id } = await open();
    await receiver.close();
    const alertId = await tell(tenant.tenantId);
    await deliver();
    await tell(tenant.tenantId, { alertId, event: "resolved" });
    // Its own first attempt is due now, but its "firing" still waits.
    await deliver();
    expect((await notices(id)).map(({ event, attempts }) => [event, attempts])).toEqual([
      ["resolved", 0],
      ["firing", 1],
    ]);
    await pass();
    await deliver();
    const [, firing] = await notices(id);
    expect(firing).toMatchObject({ state: "waiting", attempts: 2, error: "The connection was refused." });
    const [lastTry] = firing?.log ?? [];
    expect(Date.parse(firing?.nextAt ?? "") - Date.parse(lastTry?.at ?? "")).toBeGreaterThanOrEqual(8_000);
    const back = await startReceiver(Number(new URL(receiver.url).port));
    await deliver();
    expect(back.received).toEqual([]);
    await pass();
    await deliver();
    await back.close();
    expect(back.received.map(eventOf)).toEqual(["alert.firing", "alert.resolved"]);
    expect((await notices(id)).map(({ state, id: notice }) => [state, notice])).toEqual(
      back.received.map((got) => ["delivered", idOf(got)]).reverse(),
    );
  });

  it.each<[string, () => Answer, string, number?]>([
    ["an error", () => 500, "It answered 500."],
    [
      "a redirect",
      () => ({ status: 302, headers: { location: receiver.url } }),
      "It answered 302, a redirect, and those are not followed.",
    ],
    ["nothing", () => "hang", "There was no answer within 0.5 s.", 500],
  ])("that answers with %s is asked again", async (_, answer, words, deadlineMs) => {
    const { id } = await open();
    receiver.answer = answer;
    await tell(tenant.tenantId);
    await deliver(deadlineMs);
    expect(receiver.received.length).toBeLessThanOrEqual(1);
    expect((await notices(id))[0]).toMatchObject({ state: "waiting", attempts: 1, error: words });
    receiver.answer = () => 204;
    await pass();
    await deliver();
    expect(new Set(receiver.received.map(idOf)).size).toBe(1);
    expect((await notices(id))[0]).toMatchObject({ state: "delivered", attempts: 2 });
  });

  it("waits as long as the receiver asks for, and never asks one again that is gone", async () => {
    const { id } = await open();
    receiver.answer = () => ({ status: 429, headers: { "retry-after": "1800" } });
    await tell(tenant.tenantId);
    await deliver();
    expect(Date.parse((await notices(id))[0]?.nextAt ?? "")).toBeGreaterThan(Date.now() + 1_700_000);
    receiver.answer = () => 410;
    await pass();
    await deliver();
    expect((await notices(id))[0]).toMatchObject({
      state: "failed",
      attempts: 2,
      error: expect.stringMatching(/gone/),
    });
    expect((await perform(listChannels, tenant.ctx(), {})).items[0]).toMatchObject({ failed: 1, waiting: 0 });
  });

  it("is given up after a day, and then the next notice has its turn", async () => {
    const { id } = await open();
    const alertId = newId();
    await inTenant(tenant.tenantId, (tx) =>
      tx.alertNotice.create({
        data: {
          ...{ tenantId: tenant.tenantId, id: newId(), channelId: id, alertId, event: "firing", severity: "warning" },
          ...{ title: "t", text: "t", at: new Date(), createdAt: new Date(Date.now() - 23.999 * 3_600_000) },
        },
      }),
    );
    await tell(tenant.tenantId, { alertId, event: "resolved" });
    receiver.answer = ({ body }) => (eventOf({ body } as Received) === "alert.firing" ? 503 : 200);
    await deliver();
    await deliver();
    expect((await notices(id)).map(({ state, event }) => [event, state])).toEqual([
      ["resolved", "delivered"],
      ["firing", "failed"],
    ]);
  });
});

describe("several deliveries at once", () => {
  it("deliver each notice once between them", async () => {
    const channels = await Promise.all(["a", "b", "c"].map((name) => open(name)));
    receiver.answer = () => new Promise((resolve) => setTimeout(resolve, 5, 200));
    await Promise.all(Array.from({ length: 15 }, () => tell(tenant.tenantId)));
    const deliveries = [1, 2, 3, 4].map(() => makeDelivery());
    await vi.waitFor(
      async () => {
        await Promise.all(deliveries.map(({ look }) => look()));
        await Promise.all(deliveries.map(({ settled }) => settled()));
        expect(receiver.received.length).toBeGreaterThanOrEqual(45);
      },
      { timeout: 30_000 },
    );
    expect(new Set(receiver.received.map(idOf)).size).toBe(45);
    expect(receiver.received).toHaveLength(45);
    for (const { id } of channels) {
      const states = (await notices(id)).map(({ state, attempts }) => `${state} ${attempts}`);
      expect(states).toEqual(Array.from({ length: 15 }, () => "delivered 1"));
    }
  });

  it("do not wait for a receiver that hangs", async () => {
    const quick = await startReceiver();
    receiver.answer = () => "hang";
    await open("hanging");
    const { id } = await open("quick", quick.url);
    await tell(tenant.tenantId);
    const delivery = makeDelivery({ deadlineMs: 60_000 });
    await delivery.look();
    await vi.waitFor(async () => expect((await notices(id))[0]?.state).toBe("delivered"), { timeout: 30_000 });
    await tell(tenant.tenantId);
    await delivery.look();
    await vi.waitFor(async () => expect((await notices(id))[0]?.state).toBe("delivered"), { timeout: 30_000 });
    await vi.waitFor(() => expect(receiver.received).toHaveLength(1), { timeout: 30_000 });
    await receiver.close();
    await delivery.settled();
    await quick.close();
  });
});

describe("a channel", () => {
  it("hears what it wants to hear while it is on, and of its own tenant only", async () => {
    const other = await createTestTenant();
    await open("critical", receiver.url, { minSeverity: "critical", events: ["firing"] });
    await tell(tenant.tenantId, { severity: "warning" });
    await tell(tenant.tenantId, { event: "resolved" });
    await tell(other.tenantId);
    const wanted = await tell(tenant.tenantId);
    await deliver();
    expect(receiver.received.map(({ body }) => JSON.parse(body).data.alertId)).toEqual([wanted]);
  });

  it("that is switched off or deleted gets nothing more, and what waited is given up", async () => {
    const [off, gone] = [await open("off"), await open("gone")];
    receiver.answer = () => 500;
    await tell(tenant.tenantId);
    await deliver();
    await perform(changeChannel, tenant.ctx(), { id: off.id, baseVersion: 1, enabled: false });
    await perform(deleteChannel, tenant.ctx(), { id: gone.id });
    await tell(tenant.tenantId);
    await deliver();
    expect(receiver.received).toHaveLength(2);
    expect(await notices(off.id)).toMatchObject([{ state: "failed", error: expect.stringMatching(/switched off/) }]);
    const rows = await inTenant(tenant.tenantId, (tx) =>
      tx.alertNotice.findMany({ where: { tenantId: tenant.tenantId, channelId: gone.id }, include: { channel: true } }),
    );
    expect(rows).toMatchObject([{ state: "failed", channel: { name: "gone", secret: null } }]);
  });
});
