import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { perform } from "@/lib/audit/perform";
import { changeChannel, deleteChannel, rotateChannelSecret } from "@/lib/channels/change-channel";
import { createChannel } from "@/lib/channels/create-channel";
import { makeDelivery } from "@/lib/channels/deliver-notices";
import { listChannels, listNotices } from "@/lib/channels/read";
import type { ChannelKind } from "@/lib/channels/schemas";
import { signedHeaders } from "@/lib/channels/signature";
import { testChannel } from "@/lib/channels/test-channel";
import { resetSingleton } from "@/lib/core/singleton";
import { inTenant } from "@/lib/db/in-tenant";
import { createTestTenant, type TestTenant } from "@/lib/testing/factories";
import { type Receiver, startReceiver, tell } from "@/lib/testing/notice-receiver";
import { readTrail } from "@/lib/testing/read-trail";
import { withTestDatabase } from "@/lib/testing/test-database";

withTestDatabase();

let tenant: TestTenant;
let receiver: Receiver;

beforeAll(async () => {
  allow("127.0.0.0/8");
  receiver = await startReceiver();
});
afterAll(async () => {
  await receiver.close();
  vi.unstubAllEnvs();
  resetSingleton("env");
});
beforeEach(async () => {
  tenant = await createTestTenant();
  receiver.received.length = 0;
  receiver.answer = () => 200;
});

function allow(ranges: string): void {
  vi.stubEnv("EGRESS_ALLOW", ranges);
  vi.stubEnv("DEMO", "0");
  resetSingleton("env");
}
const open = (name = "ops", kind: ChannelKind = "webhook", url = receiver.url) =>
  perform(createChannel, tenant.ctx(), { name, target: { kind, url } });
const list = async () => (await perform(listChannels, tenant.ctx(["alerts:read"]), {})).items;
const test = (id: string) => perform(testChannel, tenant.ctx(), { id });
const deliver = async () => {
  const delivery = makeDelivery();
  await delivery.look();
  await delivery.settled();
};

describe("a channel", () => {
  it("is opened, changed on its version, and closed; each leaves an entry", async () => {
    const made = await open();
    expect(made).toMatchObject({
      kind: "webhook",
      enabled: true,
      minSeverity: "warning",
      events: ["firing", "resolved"],
    });
    expect(made.secret).toMatch(/^whsec_/);
    await expect(open()).rejects.toMatchObject({ code: "conflict" });
    const { id } = made;
    const change = { id, baseVersion: 1, name: "night", minSeverity: "critical", enabled: false };
    expect(await perform(changeChannel, tenant.ctx(), change)).toMatchObject({
      name: "night",
      version: 2,
      enabled: false,
    });
    await expect(perform(changeChannel, tenant.ctx(), change)).rejects.toMatchObject({ code: "stale_version" });
    const otherKind = { id, baseVersion: 2, target: { kind: "slack", url: receiver.url } };
    await expect(perform(changeChannel, tenant.ctx(), otherKind)).rejects.toMatchObject({ code: "invalid_input" });
    await perform(deleteChannel, tenant.ctx(), { id, reason: "nobody reads it" });
    expect(await list()).toEqual([]);
    await expect(test(id)).rejects.toMatchObject({ code: "not_found" });
    const trail = (await readTrail(tenant.tenantId)).filter(({ type }) => type.startsWith("alert_channel"));
    expect(trail.map(({ type, target }) => [type, target])).toEqual([
      ["alert_channel.created", "ops"],
      ["alert_channel.changed", "night"],
      ["alert_channel.deleted", "night"],
    ]);
    expect(trail[1]?.payload).toMatchObject({
      before: { name: "ops", enabled: true },
      after: { minSeverity: "critical" },
    });
    // Its name is free again.
    await open("night");
  });

  it("is seen with alerts:read, touched with alerts:write, and never from another tenant", async () => {
    const { id } = await open();
    const other = await createTestTenant();
    const reader = tenant.ctx(["alerts:read"]);
    for (const act of [
      () => perform(createChannel, reader, { name: "x", target: { kind: "webhook", url: receiver.url } }),
      () => perform(changeChannel, reader, { id, baseVersion: 1, enabled: false }),
      () => perform(deleteChannel, reader, { id }),
      () => perform(testChannel, reader, { id }),
      () => perform(rotateChannelSecret, reader, { id }),
      () => perform(listChannels, tenant.ctx(["alerts:write"]), {}),
    ]) {
      await expect(act()).rejects.toMatchObject({ code: "permission_denied" });
    }
    for (const act of [
      () => perform(changeChannel, other.ctx(), { id, baseVersion: 1, target: { kind: "webhook", url: receiver.url } }),
      () => perform(deleteChannel, other.ctx(), { id }),
      () => perform(testChannel, other.ctx(), { id }),
      () => perform(rotateChannelSecret, other.ctx(), { id }),
      () => perform(listNotices, other.ctx(), { id }),
    ]) {
      await expect(act()).rejects.toMatchObject({ code: "not_found" });
    }
    expect(receiver.received).toEqual([]);
  });

  it("leads nowhere that the operator did not allow, and not without TLS into the world", async () => {
    await expect(open("meta", "webhook", "http://169.254.169.254/latest")).rejects.toMatchObject({
      code: "egress_refused",
      detail: { issues: [{ path: "target.url" }] },
    });
    await expect(open("plain", "slack", "http://8.8.8.8/hook")).rejects.toMatchObject({
      code: "egress_refused",
      message: expect.stringContaining("https"),
    });
    const { id } = await open("byname", "webhook", receiver.url.replace("127.0.0.1", "localhost"));
    expect(await test(id)).toMatchObject({ delivered: true });
    allow("");
    expect(await test(id)).toMatchObject({
      delivered: false,
      status: null,
      error: expect.stringContaining("EGRESS_ALLOW"),
    });
    allow("127.0.0.0/8");
    expect(receiver.received).toHaveLength(1);
  });
});

describe("secrets", () => {
  it("are shown once and stand nowhere else: no view, no entry, no column, no message", async () => {
    const made = await open();
    const slack = await open("chat", "slack");
    receiver.answer = () => 500;
    await tell(tenant.tenantId);
    await deliver();
    await test(slack.id);
    const { secret, ...rest } = await perform(rotateChannelSecret, tenant.ctx(), { id: made.id });
    const change = { id: slack.id, baseVersion: 1, target: { kind: "slack", url: `${receiver.url}&more=n3w-s3cret` } };
    const changed = await perform(changeChannel, tenant.ctx(), change);
    expect(changed.address).toBe(`${new URL(receiver.url).origin}/…`);
    const rows = await inTenant(tenant.tenantId, async (tx) => [
      await tx.alertChannel.findMany({ where: { tenantId: tenant.tenantId } }),
      await tx.alertNotice.findMany({ where: { tenantId: tenant.tenantId }, include: { log: true } }),
    ]);
    const asText = JSON.stringify(
      [rows, rest, changed, await list(), await perform(listNotices, tenant.ctx(), { id: slack.id })],
      (_, value) =>
        typeof value === "bigint"
          ? String(value)
          : value instanceof Uint8Array
            ? Buffer.from(value).toString("latin1")
            : value,
    );
    const everything = `${asText} ${(await readTrail(tenant.tenantId)).map(({ text }) => text).join(" ")}`;
    for (const hidden of ["s3cret", made.secret ?? "-", secret ?? "-", "/hook"])
      expect(everything).not.toContain(hidden);
    expect(everything).toContain("alert_channel_secret.rotated");
  });

  it("of a webhook are rotated without a gap: for a day both sign", async () => {
    const made = await open();
    const { secret } = await perform(rotateChannelSecret, tenant.ctx(), { id: made.id });
    expect(secret).not.toBe(made.secret);
    await test(made.id);
    const [got] = receiver.received;
    const at = new Date(Number(got?.headers["webhook-timestamp"]) * 1_000);
    const signed = signedHeaders(
      [secret ?? "", made.secret ?? ""],
      String(got?.headers["webhook-id"]),
      at,
      got?.body ?? "",
    );
    expect(got?.headers["webhook-signature"]).toBe(signed["webhook-signature"]);
    const slack = await open("chat", "slack");
    await expect(perform(rotateChannelSecret, tenant.ctx(), { id: slack.id })).rejects.toMatchObject({
      code: "conflict",
    });
  });
});

describe("the test button", () => {
  it("sends a marked notice at once, says what happened, and leaves an entry and a line in the history", async () => {
    const { id } = await open("chat", "slack");
    const result = await test(id);
    expect(result).toMatchObject({ delivered: true, status: 200, error: null });
    expect(JSON.parse(receiver.received[0]?.body ?? "{}").text).toContain("Test: channel chat");
    await receiver.close();
    const down = await test(id);
    expect(down).toMatchObject({ delivered: false, status: null, error: "The connection was refused." });
    receiver = await startReceiver();
    await deliver();
    expect((await perform(listNotices, tenant.ctx(), { id })).items).toMatchObject([
      { id: down.noticeId, event: "test", state: "failed", alertId: null, attempts: 1, log: [{ delivered: false }] },
      { id: result.noticeId, event: "test", state: "delivered" },
    ]);
    expect((await list())[0]).toMatchObject({
      failed: 0,
      last: { state: "failed", error: "The connection was refused." },
    });
    const tests = (await readTrail(tenant.tenantId)).filter(({ type }) => type === "alert_channel.tested");
    expect(tests.map(({ target, payload }) => [target, payload?.after])).toMatchObject([
      ["chat", { delivered: true }],
      ["chat", { delivered: false, error: "The connection was refused." }],
    ]);
  });

  it("shows the history page by page", async () => {
    const { id } = await open();
    for (let count = 0; count < 3; count += 1) await test(id);
    const first = await perform(listNotices, tenant.ctx(), { id, limit: 2 });
    expect(first.items).toHaveLength(2);
    const second = await perform(listNotices, tenant.ctx(), { id, limit: 2, cursor: first.nextCursor ?? "" });
    expect(second).toMatchObject({ nextCursor: null });
    expect(new Set([...first.items, ...second.items].map((notice) => notice.id)).size).toBe(3);
  });
});
