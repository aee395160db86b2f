import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { failureWords, statusWords } from "@/lib/channels/failure-words";
import { mailOf, slackBody, type Told, webhookBody } from "@/lib/channels/messages";
import { retryAfterOf, waitMs } from "@/lib/channels/retry-rules";
import { channelTarget } from "@/lib/channels/schemas";
import { shownAddress } from "@/lib/channels/sealed-target";
import { newSigningSecret, signedHeaders } from "@/lib/channels/signature";

const told = (over: Partial<Told> = {}): Told => ({
  id: "0199aaaa-0000-7000-8000-000000000001",
  alertId: "0199aaaa-0000-7000-8000-000000000002",
  event: "firing",
  severity: "critical",
  title: "billing is slow",
  text: "P95 of billing was 7.2 s over the last 5 minutes, above 5 s.",
  server: "billing",
  tool: null,
  value: 7_200,
  threshold: 5_000,
  at: new Date("2026-11-20T14:03:22.000Z"),
  tenant: "clinic",
  url: "https://console.test/clinic/alerts?alert=1",
  ...over,
});

describe("a signature", () => {
  it("is the one of the published example of Standard Webhooks", () => {
    const headers = signedHeaders(
      ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
      "msg_p5jXN8AQM9LWM0D4loKWxJek",
      new Date(1_614_265_330_000),
      '{"test": 2432232314}',
    );
    expect(headers).toEqual({
      "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
      "webhook-timestamp": "1614265330",
      "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    });
  });

  it("is made with each secret in force", () => {
    const [a, b] = [newSigningSecret(), newSigningSecret()];
    expect(a).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const of = (secrets: string[]) => signedHeaders(secrets, "id", new Date(0), "{}")["webhook-signature"];
    expect(of([a, b])).toBe(`${of([a])} ${of([b])}`);
    expect(of([a])).not.toBe(of([b]));
  });
});

describe("the check that the documentation gives receivers", () => {
  it("takes what we sign now, and nothing that was changed, is old, or is signed by another", async () => {
    const [, code = ""] = /```js\n([\s\S]*?)```/.exec(readFileSync("docs/channels.md", "utf8")) ?? [];
    const { isOurs } = (await import(/* @vite-ignore */ `data:text/javascript,${encodeURIComponent(code)}`)) as {
      isOurs: (headers: object, body: string, secret: string) => boolean;
    };
    const [secret, older] = [newSigningSecret(), newSigningSecret()];
    const headers = signedHeaders([secret, older], "id", new Date(), "{}");
    expect([isOurs(headers, "{}", secret), isOurs(headers, "{}", older)]).toEqual([true, true]);
    expect(isOurs(headers, "{ }", secret)).toBe(false);
    expect(isOurs(headers, "{}", newSigningSecret())).toBe(false);
    expect(isOurs(signedHeaders([secret], "id", new Date(Date.now() - 400_000), "{}"), "{}", secret)).toBe(false);
  });
});

describe("waiting", () => {
  it("doubles from five seconds to an hour, spread by a fifth either way", () => {
    const middle = Array.from({ length: 13 }, (_, at) => waitMs(at + 1, null, () => 0.5));
    expect(middle.slice(0, 4)).toEqual([5_000, 10_000, 20_000, 40_000]);
    expect(middle.slice(-2)).toEqual([3_600_000, 3_600_000]);
    const attempts = fc.integer({ min: 1, max: 10_000 });
    fc.assert(
      fc.property(attempts, fc.double({ min: 0, max: 1, noNaN: true }), (attempt, random) => {
        const wait = waitMs(attempt, null, () => random);
        expect(wait).toBeGreaterThanOrEqual(4_000);
        expect(wait).toBeLessThanOrEqual(3_600_000 * 1.2);
      }),
    );
  });

  it("tries often enough that a receiver that was down for five minutes has it soon after", () => {
    let at = 0;
    const tries = Array.from({ length: 8 }, (_, index) => {
      at += waitMs(index + 1, null, () => 1);
      return at;
    });
    expect(tries.find((time) => time > 300_000)).toBeLessThan(600_000);
  });

  it("obeys a later time that the receiver names, up to an hour", () => {
    expect(waitMs(1, 90_000, () => 0)).toBe(90_000);
    expect(waitMs(1, 1_000, () => 0)).toBe(4_000);
    expect(waitMs(1, 86_400_000, () => 0)).toBe(3_600_000);
    const now = Date.parse("2026-11-20T14:00:00Z");
    expect(retryAfterOf("120", now)).toBe(120_000);
    expect(retryAfterOf("Fri, 20 Nov 2026 14:01:00 GMT", now)).toBe(60_000);
    for (const nothing of [undefined, "", "soon", "-1", "Fri, 20 Nov 2026 13:00:00 GMT"]) {
      expect(retryAfterOf(nothing, now)).toBeNull();
    }
  });
});

describe("what is told", () => {
  it("is one documented shape for webhooks", () => {
    expect(JSON.parse(webhookBody(told()))).toEqual({
      version: 1,
      type: "alert.firing",
      id: told().id,
      timestamp: "2026-11-20T14:03:22.000Z",
      tenant: "clinic",
      data: {
        ...{ alertId: told().alertId, severity: "critical", title: "billing is slow", text: told().text },
        ...{ server: "billing", tool: null, value: 7_200, threshold: 5_000, url: told().url },
      },
    });
    expect(JSON.parse(webhookBody(told({ event: "test", alertId: null }))).type).toBe("channel.test");
  });

  it("is text and blocks for Slack, where a name means nothing but itself", () => {
    const body = JSON.parse(slackBody(told({ title: "<!channel> & <https://evil.test|x>", server: "a<b" })));
    expect(body.text).toContain("Critical: &lt;!channel&gt; &amp; &lt;https://evil.test|x&gt;");
    expect(body.blocks.map(({ type }: { type: string }) => type)).toEqual(["section", "context"]);
    expect(JSON.stringify(body)).not.toContain("<!channel>");
    expect(body.blocks[1].elements[0].text).toContain("a&lt;b · clinic · 2026-11-20 14:03:22 UTC");
  });

  it("is a mail whose subject is one line and whose HTML holds no foreign markup", () => {
    const mail = mailOf(told({ event: "resolved", title: "x\r\nBcc: all@evil.test", text: "<img src=x>" }));
    expect(mail.subject).toBe("Resolved: x Bcc: all@evil.test");
    expect(mail.html).toContain("&lt;img src=x&gt;");
    expect(mail.html).not.toContain("<img");
    expect(mail.text).toContain("<img src=x>\n\nServer: billing\nTenant: clinic\nTime: 2026-11-20 14:03:22 UTC");
  });
});

describe("words", () => {
  it("say what went wrong without the words of a library, which may hold the address", () => {
    const secret = "https://hooks.test/services/T0/B0/s3cret";
    const error = (code: string) => Object.assign(new Error(`failed: ${secret}`), { code });
    expect(failureWords(error("ECONNREFUSED"), 10_000)).toBe("The connection was refused.");
    expect(failureWords(error("DEPTH_ZERO_SELF_SIGNED_CERT"), 10_000)).toMatch(/certificate/);
    expect(failureWords(new Error("x", { cause: error("ENOTFOUND") }), 10_000)).toMatch(/resolved/);
    expect(failureWords(new DOMException(secret, "TimeoutError"), 10_000)).toBe("There was no answer within 10 s.");
    expect(failureWords(error("SOMETHING_NEW"), 10_000)).toBe("The connection failed.");
    expect(failureWords(secret, 10_000)).toBe("The connection failed.");
    expect(statusWords(302)).toMatch(/redirect/);
  });

  it("show of an address where it leads and nothing that opens it", () => {
    expect(shownAddress("https://hooks.test:8443/services/T0/s3cret?token=x#y")).toBe("https://hooks.test:8443/…");
    const target = (url: string) => channelTarget.safeParse({ kind: "webhook", url }).success;
    expect([target("https://a.test/x"), target("https://u:p@a.test/"), target("ftp://a.test/")]).toEqual([
      true,
      false,
      false,
    ]);
  });
});
