/* eslint-disable @typescript-eslint/no-deprecated -- definitions are given as JSON Schema, which needs the low-level server */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { createMcpHandler, type McpHttpHandler, Server, type Tool } from "@modelcontextprotocol/server";

export type ChangingServer = {
  readonly url: string;
  /** What it says of its tools from now on. */
  readonly define: (tools: readonly Tool[]) => void;
  /** How long each call takes from now on. */
  readonly take: (ms: number) => void;
  /** The tools that were really called, in order. */
  readonly called: readonly string[];
  readonly close: () => Promise<void>;
};

/** A real MCP server on the official SDK, whose operator changes his mind about what his tools say and how quick they are. */
export async function startChangingServer(first: readonly Tool[]): Promise<ChangingServer> {
  let tools = first;
  let tookMs = 0;
  const called: string[] = [];
  const handler = createMcpHandler(() => {
    const server = new Server({ name: "changing", version: "1.0.0" }, { capabilities: { tools: {} } });
    server.setRequestHandler("tools/list", () => ({ tools: [...tools] }));
    server.setRequestHandler("tools/call", async ({ params }) => {
      called.push(params.name);
      await sleep(tookMs);
      return { content: [{ type: "text", text: `${params.name} was called` }] };
    });
    return server;
  });
  const http = createServer((request, response) => {
    serve(handler, request, response).catch(() => response.destroy());
  });
  await new Promise<void>((listening) => http.listen(0, "127.0.0.1", listening));
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`,
    define: (next) => {
      tools = next;
    },
    take: (ms) => {
      tookMs = ms;
    },
    called,
    close: () =>
      new Promise((closed) => {
        http.close(() => closed());
        http.closeAllConnections();
      }),
  };
}

async function serve(handler: McpHttpHandler, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const headers = Object.entries(request.headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] as [string, string]],
  );
  const { method = "POST", url = "/" } = request;
  const asked = new Request(`http://127.0.0.1${url}`, { method, headers, ...(body.length > 0 ? { body } : {}) });
  const answer = await handler.fetch(asked);
  response.writeHead(answer.status, Object.fromEntries(answer.headers));
  response.end(Buffer.from(await answer.arrayBuffer()));
}
