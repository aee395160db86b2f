import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, it } from "vitest";
import { openHttpUpstream } from "@/lib/mcp/upstream/http";
import { makeUpstreamPolicy } from "@/lib/mcp/upstream/policy";
import type { Json } from "@/lib/mcp/upstream/protocol";
import { startDeadline } from "@/lib/resilience/deadline";

const DEADLINE_MS = 500;
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const event = (message: object) => `data: ${JSON.stringify({ jsonrpc: "2.0", ...message })}\n\n`;
const PING = event({ id: "p", method: "ping" });

/** A server of the sessions era that pings whenever it has a stream, and never says that it got our answer. */
async function startSilent() {
  const hanging = new Set<ServerResponse>();
  let replies = 0;
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const stream = () => response.writeHead(200, { "content-type": "text/event-stream" });
    if (request.method === "GET") return void stream().write(PING.repeat(20));
    if (request.method === "DELETE") return void response.end();
    let text = "";
    for await (const chunk of request) text += String(chunk);
    const { id, method } = JSON.parse(text) as Json;
    if (method === "initialize") {
      const result = { protocolVersion: "2025-06-18", capabilities: {}, serverInfo: { name: "silent", version: "1" } };
      response.writeHead(200, { "content-type": "application/json", "mcp-session-id": "one" });
      response.end(JSON.stringify({ jsonrpc: "2.0", id, result }));
    } else if (method === "tools/call") stream().end(PING + event({ id, result: { content: [] } }));
    else if (method !== undefined) response.writeHead(id === undefined ? 202 : 404).end();
    else {
      replies += 1;
      hanging.add(response);
      response.once("close", () => hanging.delete(response));
    }
  }
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  ends.push(() => {
    server.close();
    server.closeAllConnections();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
  const policy = makeUpstreamPolicy({ allowLoopback: true });
  const upstream = openHttpUpstream({ url, credential: undefined, policy, deadlineMs: DEADLINE_MS });
  ends.push(() => upstream.close());
  return { upstream, replies: () => replies, hanging: () => hanging.size };
}

it("an answer of ours that a server does not take is given up after the server's deadline, the call being over", async () => {
  const { upstream, replies, hanging } = await startSilent();
  const deadline = startDeadline(5_000);
  await upstream.request({ method: "tools/call", params: { name: "any" }, deadline });
  deadline.release();
  await expect.poll(replies).toBe(1);
  await expect.poll(hanging, { timeout: 4 * DEADLINE_MS }).toBe(0);
});

it("so are those to what it asks while somebody listens", async () => {
  const { upstream, replies, hanging } = await startSilent();
  const listening = startDeadline(60_000);
  const over = upstream.listen?.({ filter: {}, deadline: listening, onNotice: () => undefined }).catch(() => undefined);
  await expect.poll(replies, { timeout: 4_000 }).toBe(20);
  await expect.poll(hanging, { timeout: 4 * DEADLINE_MS }).toBe(0);
  listening.kill();
  await over;
  listening.release();
});
