import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { measure, type Target } from "@/bench/load";

/** What a server makes of the words of a call, given the words it was told before. */
type Answer = (words: string, before: string) => { readonly status: number; readonly text: string };

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

async function startServer(answer: Answer): Promise<Target> {
  let before = "";
  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      const words = /"message":"([^"]*)"/.exec(body)?.[1] ?? "";
      const { status, text } = answer(words, before);
      before = words;
      response.writeHead(status).end(text);
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
  return {
    name: "test",
    url,
    wire: "modern",
    callers: [{ key: null, tool: "echo" }],
    pid: process.pid,
    database: null,
  };
}

const CALLERS = 4;
const FOR_MS = 100;

describe("what the load generator counts", () => {
  it("counts no failure where every caller gets its own words back", async () => {
    const honest = await startServer((words) => ({ status: 200, text: `you said ${words}` }));
    const { calls, failed, wrong, firstFailure } = await measure(honest, CALLERS, FOR_MS);
    expect(calls).toBeGreaterThan(CALLERS);
    expect({ failed, wrong, firstFailure }).toEqual({ failed: 0, wrong: 0, firstFailure: null });
  });

  it("counts an answer with the words of another call as wrong, though it is a success", async () => {
    const mixedUp = await startServer((_words, before) => ({ status: 200, text: `you said ${before}` }));
    const { calls, failed, wrong } = await measure(mixedUp, CALLERS, FOR_MS);
    expect(wrong).toBe(calls);
    expect(failed).toBe(0);
  });

  it("counts a caller's own words of an earlier call as wrong too", async () => {
    const stale = await startServer((_words, before) => ({ status: 200, text: before }));
    const { calls, wrong, failed } = await measure(stale, 1, FOR_MS);
    expect(wrong).toBe(calls);
    expect(failed).toBe(0);
  });

  it("counts a broken status as failed, and says what it was", async () => {
    const broken = await startServer(() => ({ status: 503, text: "busy" }));
    const { calls, failed, wrong, firstFailure } = await measure(broken, CALLERS, FOR_MS);
    expect(failed).toBe(calls);
    expect(wrong).toBe(0);
    expect(firstFailure).toBe("503 busy");
  });
});
