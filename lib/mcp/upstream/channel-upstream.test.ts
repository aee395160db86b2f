import { expect, it } from "vitest";
import type { OpenChannel } from "@/lib/mcp/upstream/channel-session";
import { openChannelUpstream } from "@/lib/mcp/upstream/channel-upstream";
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
