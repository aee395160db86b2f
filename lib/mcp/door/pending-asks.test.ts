import { describe, expect, it } from "vitest";
import { bus } from "@/lib/core/bus";
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

  it("may be answered through another process, by the same caller only", async () => {
    const { id, settled } = ask();
    const answer = JSON.stringify({ id, result: { action: "decline" } });
    bus.deliver({ topic: "client.answered", ask: id, owner: "somebody else", answer });
    bus.deliver({ topic: "client.answered", ask: id, owner: OWNER, answer: "{" });
    expect(await stillWaits(settled)).toBe("waits");
    bus.deliver({ topic: "client.answered", ask: id, owner: OWNER, answer });
    expect(await settled).toEqual({ result: { action: "decline" } });
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
