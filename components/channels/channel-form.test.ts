import { describe, expect, it } from "vitest";
import { checkValues, errorsOf, toChangeInput, toCreateInput, valuesOf } from "@/components/channels/channel-form";
import { addressWords, hearsWords, noticeWords, testWords } from "@/components/channels/channel-words";
import type { ChannelView } from "@/lib/channels/schemas";

const channel: ChannelView = {
  ...{ id: "0199aaaa-0000-7000-8000-000000000001", name: "ops", kind: "webhook", enabled: true, version: 3 },
  ...{ address: "https://hooks.test/…", recipients: [], minSeverity: "critical", events: ["firing"] },
  ...{ waiting: 0, failed: 0, last: null, createdAt: "", updatedAt: "" },
};

describe("the form of a channel", () => {
  it("takes addresses of mail however they are set apart, and events in one order", () => {
    const values = {
      ...valuesOf(null),
      name: "m",
      kind: "email" as const,
      recipients: "a@x.test, b@x.test;\n c@x.test\n",
    };
    expect(toCreateInput({ ...values, events: ["resolved", "firing"] })).toMatchObject({
      target: { kind: "email", recipients: ["a@x.test", "b@x.test", "c@x.test"] },
      events: ["firing", "resolved"],
    });
    expect(checkValues(values, null)).toEqual({});
    expect(checkValues({ ...values, recipients: "a@x.test, nobody" }, null)).toEqual({
      recipients: "must be an e-mail address",
    });
  });

  it("leaves an address that is not typed again as it is, and asks for it at first", () => {
    const values = valuesOf(channel);
    expect(checkValues(values, channel)).toEqual({});
    expect(toChangeInput(values, channel)).toEqual({
      ...{ id: channel.id, baseVersion: 3, name: "ops", minSeverity: "critical", events: ["firing"] },
    });
    expect(toChangeInput({ ...values, url: " https://new.test/ " }, channel).target).toEqual({
      kind: "webhook",
      url: "https://new.test/",
    });
    expect(checkValues(valuesOf(null), null)).toMatchObject({ name: expect.any(String), url: expect.any(String) });
    expect(checkValues({ ...values, events: [] }, channel)).toEqual({ events: "choose at least one" });
  });

  it("shows what the server refused at its field", () => {
    expect(
      errorsOf([
        { path: "target.url", rule: "must begin with https://" },
        { path: "elsewhere", rule: "x" },
      ]),
    ).toEqual({
      url: "must begin with https://",
    });
  });
});

describe("the words of a channel", () => {
  it("say what it hears and where it leads", () => {
    expect(hearsWords(channel)).toBe("critical only · firing");
    expect(addressWords(channel)).toBe("https://hooks.test/…");
    expect(addressWords({ ...channel, kind: "email", recipients: ["a@x.test", "b@x.test", "c@x.test"] })).toBe(
      "a@x.test and 2 more",
    );
    expect(noticeWords({ event: "resolved", title: "billing is slow" })).toBe("Resolved: billing is slow");
  });

  it("say what came of a test", () => {
    const result = { noticeId: "n", delivered: true, status: 200, durationMs: 43, error: null };
    expect(testWords("ops", result)).toBe("The test of ops was delivered in 43 ms, status 200.");
    expect(testWords("ops", { ...result, delivered: false, status: null, error: "The connection was refused." })).toBe(
      "The test of ops was not delivered (43 ms). The connection was refused.",
    );
    expect(testWords("ops", { ...result, delivered: false, status: 500, error: "It answered 500." })).toBe(
      "The test of ops was not delivered (43 ms). It answered 500.",
    );
  });
});
