import { describe, expect, it } from "vitest";
import { type BusMessage, bus } from "@/lib/core/bus";
import { Caller } from "@/lib/core/leaving";
import { resetSingleton, singleton } from "@/lib/core/singleton";
import { askClient, takeAnswer } from "@/lib/mcp/door/pending-asks";
import type { Json } from "@/lib/mcp/upstream/protocol";

const OWNER = JSON.stringify(["key-1", "session-1"]);

singleton("db.process-secrets", () => ({ nextAuthSecret: "for the test" }));

/** A call as the door keeps it while its client may be asked; it counts who waits for its end. */
class CountingCaller extends Caller {
  listening = 0;

  override addEventListener(event: "abort", listener: () => void): void {
    this.listening += 1;
    super.addEventListener(event, listener);
  }

  override removeEventListener(event: "abort", listener: () => void): void {
    this.listening -= 1;
    super.removeEventListener(event, listener);
  }
}

function ask(owner = OWNER, left = new CountingCaller()) {
  const sent: Json[] = [];
  const answer = askClient(owner, (message) => sent.push(message), left, "elicitation/create", { message: "?" });
  const settled = answer.then(
    (result) => ({ result }),
    (error: Error) => ({ error: error.message }),
  );
  return { id: String(sent[0]?.["id"]), sent, settled, left };
}
/** What a process sends on that did not put the question. */
function sentOn(body: Json) {
  const heard: Extract<BusMessage, { topic: "client.answered" }>[] = [];
  const forget = bus.subscribe((message) => {
    if (message.topic === "client.answered") heard.push(message);
  });
  const mine = singleton("mcp.pending-asks", () => new Map<string, unknown>());
  const questions = [...mine];
  mine.clear();
  takeAnswer(OWNER, body);
  for (const [id, question] of questions) mine.set(id, question);
  forget();
  return heard[0];
}
const stillWaits = (settled: Promise<unknown>) =>
  Promise.race([settled, new Promise((resolve) => setTimeout(() => resolve("waits"), 20))]);

describe("a question to a client", () => {
  it("is answered by whoever was asked", async () => {
    const { id, settled } = ask();
    takeAnswer(OWNER, { jsonrpc: "2.0", id, result: { action: "accept" } });
    expect(await settled).toEqual({ result: { action: "accept" } });
  });

  it("is not answered by another key, nor in another session, nor under another id", async () => {
    const { id, settled } = ask();
    const result = { action: "accept" };
    expect(() => takeAnswer(JSON.stringify(["key-2", "session-1"]), { id, result })).toThrow("nothing that the client");
    expect(() => takeAnswer(JSON.stringify(["key-1", "session-2"]), { id, result })).toThrow("nothing that the client");
    expect(() => takeAnswer(OWNER, { id: `${id}x`, result })).toThrow("nothing that the client");
    expect(await stillWaits(settled)).toBe("waits");
    takeAnswer(OWNER, { id, result });
    expect(await settled).toEqual({ result });
  });

  it("ends when the client refuses, and when it leaves", async () => {
    const refused = ask();
    takeAnswer(OWNER, { id: refused.id, error: { code: -1, message: "no" } });
    expect(await refused.settled).toEqual({ error: "no" });
    const abandoned = ask();
    abandoned.left.leave();
    expect(await abandoned.settled).toEqual({ error: "The call was over before the client answered." });
    expect(abandoned.sent[1]).toMatchObject({ method: "notifications/cancelled", params: { requestId: abandoned.id } });
  });

  it("waits for the end of its call no longer than for its answer", async () => {
    const left = new CountingCaller();
    for (const end of [{ result: {} }, { error: { code: -1, message: "no" } }]) {
      const { id, settled } = ask(OWNER, left);
      expect(left.listening).toBe(1);
      takeAnswer(OWNER, { id, ...end });
      await settled;
      expect(left.listening).toBe(0);
    }
  });

  it("is one of a few that a client is asked at once", async () => {
    const [left, owner] = [new CountingCaller(), "busy"];
    const asked = Array.from({ length: 64 }, () => ask(owner, left));
    expect(await ask(owner).settled).toEqual({ error: "The client is asked too much at once." });
    expect(await stillWaits(ask("another", left).settled)).toBe("waits");
    left.leave();
    await Promise.all(asked.map(({ settled }) => settled));
    expect(await stillWaits(ask(owner).settled)).toBe("waits");
  });

  it("may be answered through another process, by the same caller only, and by nobody who can write to Redis", async () => {
    const [asked, later] = [ask(), ask()];
    const [message, other] = [asked, later].map(({ id }) => sentOn({ id, result: { said: "yes, do it" } }));
    if (message === undefined || other === undefined) throw new Error("nothing was sent on");
    expect(Buffer.from(message.answer, "base64").toString("latin1")).not.toMatch(/said|yes/);
    bus.deliver({ ...message, owner: "somebody else" });
    bus.deliver({ ...message, answer: other.answer });
    bus.deliver({ ...message, answer: JSON.stringify({ id: asked.id, result: { said: "forged" } }) });
    bus.deliver({ ...message, answer: Buffer.from(JSON.stringify({ result: { said: "forged" } })).toString("base64") });
    expect(await stillWaits(asked.settled)).toBe("waits");
    bus.deliver(message);
    expect(await asked.settled).toEqual({ result: { said: "yes, do it" } });
  });

  it("that another process put is answered there: the answer is sent on, whole and once", () => {
    const heard: (readonly [string, number])[] = [];
    const forget = bus.subscribe((message) => {
      if (message.topic === "client.answered") heard.push([message.ask, message.answer.length]);
    });
    const { id } = ask();
    resetSingleton("mcp.pending-asks");
    const picture = "x".repeat(2 * 1024 * 1024);
    for (let times = 0; times < 3; times += 1) takeAnswer(OWNER, { id, result: { picture } });
    takeAnswer(OWNER, { id: "not-ours", result: {} });
    expect(() => takeAnswer(OWNER, { id: "cs-made-up", result: {} })).toThrow("nothing that the client");
    forget();
    expect(heard).toEqual([[id, expect.any(Number)]]);
    expect(heard[0]?.[1]).toBeGreaterThan(picture.length);
  });
});
