import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { makeOutbox } from "@/lib/mcp/door/ws-outbox";

vi.setConfig({ testTimeout: 30_000 });

const PATIENCE = { timeout: 20_000, interval: 20 };
const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** Both ends of a real socket. */
async function openPair(options: WebSocket.ClientOptions = {}) {
  const http = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => http.once("listening", resolve));
  const server = new WebSocketServer({ server: http });
  const accepted = new Promise<WebSocket>((resolve) => server.once("connection", resolve));
  const client = new WebSocket(`ws://127.0.0.1:${(http.address() as AddressInfo).port}`, options);
  const ours = await accepted;
  if (client.readyState !== WebSocket.OPEN) await new Promise((resolve) => client.once("open", resolve));
  ends.push(() => {
    client.terminate();
    ours.terminate();
    http.close();
  });
  return { ours, client, outbox: makeOutbox(ours) };
}

const never = new AbortController().signal;
const answer = (text: string) => ({ status: 200, headers: {}, body: text });

describe("a socket's outbox", () => {
  it("sends each message of a stream by itself, and nothing that is no message", async () => {
    const { client, outbox } = await openPair();
    const heard: string[] = [];
    client.on("message", (data) => heard.push(String(data)));
    const body = async (write: (chunk: string) => void) => {
      write(": still here\n\n");
      write('event: message\ndata: {"a":1}\n\n');
      write('event: message\ndata: {"b":2}\n\n');
    };
    await outbox.deliver({ status: 200, headers: {}, body }, never);
    await expect.poll(() => heard, PATIENCE).toEqual(['{"a":1}', '{"b":2}']);
  });

  it("keeps a client that answers a ping and ends one that does not", async () => {
    const [lively, silent] = [await openPair(), await openPair({ autoPong: false })];
    for (const { ours, outbox } of [lively, silent]) {
      const ponged = new Promise<void>((resolve) => ours.once("pong", () => resolve()));
      outbox.lookAlive();
      if (ours === lively.ours) await ponged;
    }
    lively.outbox.lookAlive();
    silent.outbox.lookAlive();
    await expect.poll(() => silent.ours.readyState, PATIENCE).toBe(WebSocket.CLOSED);
    expect(lively.ours.readyState).toBe(WebSocket.OPEN);
  });

  it("cuts off a client that does not read, once 32 MiB wait for it", async () => {
    const { ours, client, outbox } = await openPair();
    client.pause();
    const mebibyte = "x".repeat(1024 * 1024);
    let most = 0;
    for (let sent = 0; sent < 200 && ours.readyState === WebSocket.OPEN; sent += 1) {
      await outbox.deliver(answer(mebibyte), never);
      most = Math.max(most, ours.bufferedAmount);
    }
    expect(ours.readyState).not.toBe(WebSocket.OPEN);
    expect(most).toBeLessThan(34 * 1024 * 1024);
  });
});
