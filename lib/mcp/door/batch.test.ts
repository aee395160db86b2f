import { expect, it, vi } from "vitest";
import { Caller } from "@/lib/core/leaving";
import type { Identity } from "@/lib/gateway/identity";
import { jsonAnswer } from "@/lib/mcp/door/answers";
import { answerBatch } from "@/lib/mcp/door/batch";
import type { DoorAnswer, DoorRequest } from "@/lib/mcp/door/door-request";

const identity = { tenantId: "t", credentialId: "k", actor: { type: "agent", id: "a", name: "a" } } as Identity;
const requests = (count: number) =>
  Array.from({ length: count }, (_, id) => ({ jsonrpc: "2.0", id, method: "tools/call", params: {} }));

function batchOf(messages: readonly unknown[], headers: Readonly<Record<string, string>> = {}, signal = new Caller()) {
  const request: DoorRequest = {
    method: "POST",
    path: "/api/mcp",
    header: (name) => headers[name] ?? null,
    body: () => Promise.resolve(new Uint8Array()),
    signal,
    peerAddress: null,
  };
  return { request, messages, identity, requestId: "request-1" };
}

async function textOf({ body }: DoorAnswer): Promise<string> {
  if (typeof body !== "function") return String(body);
  let text = "";
  await body((chunk) => {
    text += String(chunk);
  });
  return text;
}

const result = (id: unknown, pad = "") =>
  jsonAnswer(200, JSON.stringify({ jsonrpc: "2.0", id, result: { pad } }), { requestId: "request-1" });

it("begins nothing more when the client has left", async () => {
  const caller = new Caller();
  const begun: unknown[] = [];
  await answerBatch(batchOf(requests(20), {}, caller), async ({ message }) => {
    begun.push(message?.id);
    if (begun.length === 8) caller.leave();
    return result(message?.id);
  });
  expect(begun).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});

it("becomes a stream when it has said nothing for ten seconds, where its client takes streams", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
  try {
    for (const [accept, shape] of [
      ["*/*", "function"],
      ["application/json", "string"],
    ] as const) {
      let end = () => undefined as unknown;
      const ended = new Promise((resolve) => {
        end = () => resolve(null);
      });
      const serve = async ({ message }: DoorRequest) => ended.then(() => result(message?.id));
      const given = answerBatch(batchOf(requests(2), { accept }), serve);
      await vi.advanceTimersByTimeAsync(10_000);
      end();
      expect(typeof (await given).body).toBe(shape);
      expect(await textOf(await given)).toContain('"id":1');
    }
  } finally {
    vi.useRealTimers();
  }
});

it("tells an error where one of its streams breaks off, and the other answers", async () => {
  const given = await answerBatch(batchOf(requests(3)), async ({ message }) => {
    if (message?.id !== 1) return result(message?.id);
    return { status: 200, headers: {}, body: () => Promise.reject(new Error("broken")) };
  });
  const events = [...(await textOf(given)).matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data ?? ""));
  expect(events.map(({ id, error }) => [id, error?.data.code ?? "ok"]).sort()).toEqual([
    [0, "ok"],
    [1, "internal"],
    [2, "ok"],
  ]);
  expect(JSON.stringify(events)).not.toContain("broken");
});

it("begins no more for a client without streams when too much waits to be sent", async () => {
  const refused: unknown[] = [];
  const serve = (each: DoorRequest) => {
    if (each.message?.refused) refused.push(each.message.id);
    return new Promise<DoorAnswer>((resolve) =>
      setImmediate(() => resolve(result(each.message?.id, "x".repeat(each.message?.refused ? 1 : 2 << 20)))),
    );
  };
  await answerBatch(batchOf(requests(20), { accept: "application/json" }), serve);
  // Three of two megabytes each are less than eight, and each made room for one more.
  expect(refused).toEqual(Array.from({ length: 9 }, (_, nth) => nth + 11));
  refused.splice(0);
  await textOf(await answerBatch(batchOf(requests(20)), serve));
  expect(refused).toEqual([]);
});

it("says of each of its messages how large it is, and which shapes its answer may have", async () => {
  const [first] = requests(1);
  const seen: unknown[] = [];
  const headers = { accept: "text/event-stream, application/json", "user-agent": "me" };
  await answerBatch(batchOf([first, [first]], headers), async ({ message, header }) => {
    const { bytes, value } = message ?? {};
    seen.push([bytes, value, header("accept"), header("user-agent"), header("x-request-id"), header("host")]);
    return result(0);
  }).then(textOf);
  const rest = ["application/json, text/event-stream", "me", "request-1", null];
  expect(seen).toEqual([
    [JSON.stringify(first).length, first, ...rest],
    [JSON.stringify([first]).length, null, ...rest],
  ]);
});
