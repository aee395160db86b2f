import type { AddressInfo } from "node:net";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { perform } from "@/lib/audit/perform";
import { createChannel } from "@/lib/channels/create-channel";
import { makeDelivery } from "@/lib/channels/deliver-notices";
import type { Told } from "@/lib/channels/messages";
import { listChannels, listNotices } from "@/lib/channels/read";
import { sendMail } from "@/lib/channels/send-mail";
import { testChannel } from "@/lib/channels/test-channel";
import { newId } from "@/lib/core/ids";
import { resetSingleton } from "@/lib/core/singleton";
import { createTestTenant, type TestTenant } from "@/lib/testing/factories";
import { tell } from "@/lib/testing/notice-receiver";
import { withTestDatabase } from "@/lib/testing/test-database";

withTestDatabase();

type Received = { readonly to: readonly string[]; readonly from: string; readonly text: string };

let tenant: TestTenant;
let server: SMTPServer;
let received: Received[];

/** A real mail server; what it accepts is kept. */
async function listen(options: SMTPServerOptions = {}): Promise<number> {
  received = [];
  server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    disableReverseLookup: true,
    closeTimeout: 100,
    onData(stream, { envelope }, done) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        const to = envelope.rcptTo.map(({ address }) => address);
        const from = envelope.mailFrom === false ? "" : envelope.mailFrom.address;
        received.push({ to, from, text: Buffer.concat(chunks).toString("utf8") });
        done();
      });
    },
    ...options,
  });
  server.on("error", () => undefined);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.server.address() as AddressInfo).port;
}

function set(url: string): void {
  vi.stubEnv("SMTP_URL", url);
  vi.stubEnv("MAIL_FROM", url === "" ? "" : "Countersign <alerts@clinic.test>");
  resetSingleton("env");
}

beforeEach(async () => {
  tenant = await createTestTenant();
});
afterEach(async () => {
  await new Promise<void>((resolve) => server.close(() => resolve()));
  vi.unstubAllEnvs();
  resetSingleton("env");
});

const TO = ["ana@clinic.test", "ops@clinic.test"];
const open = () => perform(createChannel, tenant.ctx(), { name: "mail", target: { kind: "email", recipients: TO } });
async function deliver(): Promise<void> {
  const delivery = makeDelivery();
  await delivery.look();
  await delivery.settled();
}
const told: Told = {
  ...{ id: newId(), alertId: newId(), event: "firing", severity: "warning", title: "t", text: "t" },
  ...{ server: null, tool: null, value: null, threshold: null, at: new Date(), tenant: "t", url: "http://t" },
};

describe("e-mail", () => {
  it("is handed to the mail server for all recipients, as one thread per alert, under an id that stays", async () => {
    set(`smtp://127.0.0.1:${await listen()}`);
    const { id } = await open();
    const alertId = await tell(tenant.tenantId, { title: "billing is <slow>" });
    await deliver();
    await tell(tenant.tenantId, { alertId, event: "resolved" });
    await deliver();
    const items = (await perform(listNotices, tenant.ctx(), { id })).items;
    expect(items).toMatchObject([{ state: "delivered" }, { state: "delivered", log: [{ status: 250, error: null }] }]);
    expect(received).toMatchObject([{ to: TO, from: "alerts@clinic.test" }, { to: TO }]);
    const [first, second] = received.map(({ text }) => text);
    expect(first).toContain("Subject: Critical: billing is <slow>");
    expect(first).toContain(`Message-ID: <${items[1]?.id}@clinic.test>`);
    expect(first).toContain("Auto-Submitted: auto-generated");
    expect(first).toMatch(/Content-Type: text\/plain[\s\S]*P95 of billing was 7\.2 s[\s\S]*Content-Type: text\/html/);
    expect(second).toContain("Subject: Resolved: billing is slow");
    for (const text of [first, second]) expect(text).toContain(`References: <${alertId}@clinic.test>`);
    expect(first?.match(/Message-ID: \S+/)?.[0]).not.toBe(second?.match(/Message-ID: \S+/)?.[0]);
  });

  it("is told of refused recipients, and tries again where all were refused", async () => {
    let refuses: (address: string) => boolean = (address) => address.startsWith("ops@");
    const port = await listen({
      onRcptTo: ({ address }, _session, done) => done(refuses(address) ? new Error("no such mailbox") : null),
    });
    set(`smtp://127.0.0.1:${port}`);
    const { id } = await open();
    const result = await perform(testChannel, tenant.ctx(), { id });
    expect(result).toMatchObject({ delivered: true, status: 250, error: "The mail server refused 1 of 2 recipients." });
    expect(received[0]?.text).toContain("Subject: Test: channel mail");
    refuses = () => true;
    await tell(tenant.tenantId);
    await deliver();
    const [notice] = (await perform(listNotices, tenant.ctx(), { id })).items;
    expect(notice).toMatchObject({ state: "waiting", error: "The mail server refused the sender or every recipient." });
  });

  it("says that the mail server does not take the password, and never the password", async () => {
    const port = await listen({
      authOptional: false,
      onAuth: (_auth, _session, done) => done(new Error("Invalid login ana:p4ssw0rd")),
    });
    set(`smtp://ana:p4ssw0rd@127.0.0.1:${port}`);
    const { id } = await open();
    const result = await perform(testChannel, tenant.ctx(), { id });
    expect(result).toMatchObject({ delivered: false, status: 535, error: expect.stringMatching(/user or password/) });
    expect(JSON.stringify(result)).not.toContain("p4ssw0rd");
  });

  it("gives a mail server that says nothing no more time than anybody else", async () => {
    let connected = 0;
    const port = await listen({
      onConnect: () => {
        connected += 1;
      },
    });
    set(`smtp://127.0.0.1:${port}`);
    const startedAt = performance.now();
    const sent = await sendMail({ told, recipients: TO, deadlineMs: 1_000 });
    expect(sent).toMatchObject({ delivered: false, error: "There was no answer within 1 s." });
    // The library's own patience ends after thirty seconds.
    expect(performance.now() - startedAt).toBeLessThan(25_000);
    expect(connected).toBeLessThanOrEqual(1);
    await vi.waitFor(() => expect(server.connections.size).toBe(0), { timeout: 15_000 });
  });

  it("is not offered where no mail server is named, and what waits for one says so", async () => {
    set(`smtp://127.0.0.1:${await listen()}`);
    const { id } = await open();
    await tell(tenant.tenantId);
    set("");
    expect(await perform(listChannels, tenant.ctx(), {})).toMatchObject({ missingForEmail: ["SMTP_URL", "MAIL_FROM"] });
    await expect(open()).rejects.toMatchObject({ code: "invalid_input", message: expect.stringContaining("SMTP_URL") });
    await deliver();
    const [notice] = (await perform(listNotices, tenant.ctx(), { id })).items;
    expect(notice).toMatchObject({ state: "waiting", error: expect.stringContaining("SMTP_URL and MAIL_FROM") });
  });
});
