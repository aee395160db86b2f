/* eslint-disable @typescript-eslint/no-deprecated -- the low-level server is the SDK's quickest, and quick flatters us least */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { createMcpHandler, type McpHttpHandler, Server, type Tool } from "@modelcontextprotocol/server";
import { echoed, FAIL, isTold, toolList, type UpstreamSpec } from "@/bench/echo-upstream";

/** The echo server on the official SDK: about what a real server costs per call. Resolves with its port. */
export function runSdkUpstream({ delayMs, tools }: UpstreamSpec): Promise<number> {
  const offered: Tool[] = toolList(tools).map((tool) => ({
    ...tool,
    inputSchema: { ...tool.inputSchema, required: ["message"] },
  }));
  const handler = createMcpHandler(() => {
    const server = new Server({ name: "echo", version: "1" }, { capabilities: { tools: {} } });
    server.setRequestHandler("tools/list", () => ({ tools: offered }));
    server.setRequestHandler("tools/call", async ({ params }) => {
      if (delayMs > 0) await wait(delayMs);
      return echoed(params.arguments);
    });
    return server;
  });
  const http = createServer((request, response) => {
    serve(handler, request, response).catch(() => response.destroy());
  });
  http.keepAliveTimeout = 60_000;
  return new Promise((resolve) => {
    http.listen(0, "127.0.0.1", () => resolve((http.address() as AddressInfo).port));
  });
}

/** The least there can be between node:http and a handler of web requests. */
async function serve(handler: McpHttpHandler, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks).toString();
  if (body.includes(FAIL) && isTold(JSON.parse(body).params?.arguments, FAIL))
    return void response.writeHead(500).end();
  const headers = Object.entries(request.headers).map(([name, value]) => [name, String(value)] as [string, string]);
  const asked = new Request(`http://127.0.0.1${request.url}`, {
    method: request.method ?? "GET",
    headers,
    body: request.method === "POST" ? body : null,
  });
  const answered = await handler.fetch(asked);
  const text = await answered.text();
  response.writeHead(answered.status, {
    ...Object.fromEntries(answered.headers),
    "content-length": Buffer.byteLength(text),
  });
  response.end(text);
}
