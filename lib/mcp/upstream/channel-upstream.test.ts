import { expect, it } from "vitest";
import type { ChannelEvents, OpenChannel } from "@/lib/mcp/upstream/channel-session";
import { openChannelUpstream } from "@/lib/mcp/upstream/channel-upstream";
import { unreachable } from "@/lib/mcp/upstream/faults";
import type { Json } from "@/lib/mcp/upstream/protocol";
import { startDeadline } from "@/lib/resilience/deadline";

/** Greets, and answers nothing else. */
const open: OpenChannel = ({ onMessage, onGone }) => ({
  send({ id, method }) {
    const result = { protocolVersion: "2025-11-25", capabilities: {}, serverInfo: { name: "fake", version: "1" } };
    if (method === "initialize")
      setImmediate(() => void onMessage(Buffer.from(JSON.stringify({ jsonrpc: "2.0", id, result }))));
  },
  kill: async () => onGone(new Error("gone") as Parameters<typeof onGone>[0]),
});

it("is opened by the next call where the first one could not even begin to", async () => {
  let failures = 1;
  const upstream = openChannelUpstream({
    deadlineMs: 5_000,
    open: (events) => {
      if (failures-- > 0) throw new Error("no room for a home");
      return open(events);
    },
  });
  const deadline = startDeadline(5_000);
  await expect(upstream.greet(deadline)).rejects.toThrow("no room");
  expect(await upstream.greet(deadline)).toMatchObject({ era: "legacy", serverName: "fake" });
  await upstream.close();
  deadline.release();
});

/** A server of which the test says what it says, with `count` calls that wait for it. */
async function withWaiting(count: number) {
  const told: Json[] = [];
  const heard: string[] = [];
  let say: ChannelEvents | undefined;
  const upstream = openChannelUpstream({
    deadlineMs: 5_000,
    open: (events) => {
      say = events;
      const channel = open(events);
      return { ...channel, send: (message) => void channel.send(told[told.push(message) - 1] as Json) };
    },
  });
  const deadline = startDeadline(5_000);
  const call = (who: string): Promise<unknown> => {
    const onRequest = async () => ({ action: heard.push(who) });
    const request = { method: "tools/call", params: {}, deadline, dialogue: { onRequest } };
    return upstream.request(request).catch((cause: unknown) => cause);
  };
  await upstream.greet(deadline);
  const ends = Array.from({ length: count }, (_, at) => call(`call ${at}`));
  await new Promise((resolve) => setImmediate(resolve));
  const line = (text: string) => void say?.onMessage(Buffer.from(text));
  return {
    upstream,
    told,
    heard,
    ends,
    call,
    line,
    gone: (fault: Parameters<ChannelEvents["onGone"]>[0]) => say?.onGone(fault),
  };
}

const byMethod = (told: readonly Json[], wanted: string) => told.filter(({ method }) => method === wanted);

it("ends all calls that wait with one fault where a message cannot be read, and goes on", async () => {
  const { upstream, told, ends, call, line } = await withWaiting(10);
  line('{"jsonrpc":');
  const faults = await Promise.all(ends);
  expect(faults[0]).toMatchObject({ code: "upstream_protocol" });
  // One object: by that a circuit knows that it is one fault.
  expect(new Set(faults).size).toBe(1);
  const ids = byMethod(told, "tools/call").map(({ id }) => ({ requestId: id }));
  expect(byMethod(told, "notifications/cancelled").map(({ params }) => params)).toEqual(ids);
  const next = call("next");
  await new Promise((resolve) => setImmediate(resolve));
  line(JSON.stringify({ jsonrpc: "2.0", id: told.at(-1)?.["id"], result: { content: [] } }));
  expect(await next).toMatchObject({ result: { content: [] } });
  expect(upstream.connections?.()).toMatchObject({ created: 1, open: 1 });
});

it("ends all calls that wait with one fault when it is gone", async () => {
  const { ends, gone } = await withWaiting(10);
  const fault = unreachable("its program ended");
  gone(fault);
  expect(new Set(await Promise.all(ends))).toEqual(new Set([fault]));
});

it("puts to nobody what may be asked in a call that an unreadable message ended", async () => {
  const { told, heard, ends, call, line } = await withWaiting(1);
  line("{");
  await Promise.all(ends);
  void call("another");
  await new Promise((resolve) => setImmediate(resolve));
  line(JSON.stringify({ jsonrpc: "2.0", id: "q", method: "elicitation/create", params: {} }));
  await new Promise((resolve) => setImmediate(resolve));
  expect(heard).toEqual([]);
  expect(told.at(-1)).toMatchObject({ id: "q", error: {} });
});
