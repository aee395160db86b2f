import { describe, expect, it } from "vitest";
import { bus } from "@/lib/core/bus";
import { askClient, takeAnswer } from "@/lib/mcp/door/pending-asks";
import type { Json } from "@/lib/mcp/upstream/protocol";

const OWNER = JSON.stringify(["key-1", "session-1"]);

function ask(owner = OWNER, left = new AbortController()) {
  const sent: Json[] = [];
  const answer = askClient(owner, (message) => sent.push(message), left.signal, "elicitation/create", { message: "?" });
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
    takeAnswer(JSON.stringify(["key-2", "session-1"]), { id, result });
    takeAnswer(JSON.stringify(["key-1", "session-2"]), { id, result });
    takeAnswer(OWNER, { id: `${id}x`, result });
    expect(await stillWaits(settled)).toBe("waits");
    takeAnswer(OWNER, { id, result });
    expect(await settled).toEqual({ result });
  });

  it("ends when the client refuses, and when it leaves", async () => {
    const refused = ask();
    takeAnswer(OWNER, { id: refused.id, error: { code: -1, message: "no" } });
    expect(await refused.settled).toEqual({ error: "no" });
    const abandoned = ask();
    abandoned.left.abort();
    expect(await abandoned.settled).toEqual({ error: "The call was over before the client answered." });
    expect(abandoned.sent[1]).toMatchObject({ method: "notifications/cancelled", params: { requestId: abandoned.id } });
  });

  it("is one of a few that a client is asked at once", async () => {
    const [left, owner] = [new AbortController(), "busy"];
    const asked = Array.from({ length: 64 }, () => ask(owner, left));
    expect(await ask(owner).settled).toEqual({ error: "The client is asked too much at once." });
    expect(await stillWaits(ask("another", left).settled)).toBe("waits");
    left.abort();
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

  it("sends on what answers nothing here, so that the process that waits hears of it", () => {
    const heard: string[] = [];
    const forget = bus.subscribe((message) => message.topic === "client.answered" && heard.push(message.ask));
    takeAnswer(OWNER, { id: "cs-elsewhere", result: {} });
    takeAnswer(OWNER, { id: "not-ours", result: {} });
    forget();
    expect(heard).toEqual(["cs-elsewhere"]);
  });
});
