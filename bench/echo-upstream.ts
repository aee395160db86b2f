import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";

/** Name of the tool that says what it was told. Further tools, where more are asked for, do the same. */
export const ECHO = "echo";
export const toolNames = (count: number): string[] =>
  Array.from({ length: count }, (_, nth) => (nth === 0 ? ECHO : `${ECHO}_${nth}`));

/** The message of a call that this server answers with a broken status. */
export const FAIL = "fail";

export type UpstreamSpec = { readonly delayMs: number; readonly tools: number };
type Message = {
  readonly id?: unknown;
  readonly method: string;
  readonly params?: { readonly arguments?: unknown; readonly protocolVersion?: string };
};

const INPUT = {
  type: "object",
  properties: { message: { type: "string", description: "What to say." } },
  required: ["message"],
} as const;

/** What `tools/list` says of them. */
export const toolList = (count: number) =>
  toolNames(count).map((name) => ({ name, description: "Says what it is told.", inputSchema: INPUT }));

/** The answer of the tool. */
export const echoed = (args: unknown) => ({ content: [{ type: "text" as const, text: JSON.stringify(args) }] });

const META = {
  resultType: "complete",
  ttlMs: 0,
  cacheScope: "private",
  _meta: { "io.modelcontextprotocol/serverInfo": { name: "echo", version: "1" } },
};

/** Both eras, as far as a gateway asks. */
function resultOf({ method, params }: Message, tools: number): unknown {
  switch (method) {
    case "tools/call":
      return { ...echoed(params?.arguments), resultType: "complete" };
    case "tools/list":
      return { tools: toolList(tools), ...META };
    case "server/discover":
      return { supportedVersions: ["2026-07-28"], capabilities: { tools: {} }, ...META };
    case "initialize": {
      const protocolVersion = params?.protocolVersion ?? "2025-11-25";
      return { protocolVersion, capabilities: { tools: {} }, serverInfo: { name: "echo", version: "1" } };
    }
    default:
      return {};
  }
}

const answerTo = (message: Message, tools: number): string =>
  JSON.stringify({ jsonrpc: "2.0", id: message.id, result: resultOf(message, tools) });

/** True for a call with this message. */
export const isTold = (args: unknown, text: string): boolean =>
  (args as { message?: unknown } | undefined)?.message === text;

/** Runs `then` after the wait of the tool; at once where there is none, so that none costs nothing. */
function afterWait(message: Message, delayMs: number, then: () => void): void {
  if (delayMs > 0 && message.method === "tools/call") setTimeout(then, delayMs);
  else then();
}

/** The leanest server there can be, so that what is measured is the road to it. Resolves with its port. */
export function runLeanUpstream({ delayMs, tools }: UpstreamSpec): Promise<number> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      if (request.method !== "POST") return void response.writeHead(405).end();
      const message = JSON.parse(Buffer.concat(chunks).toString()) as Message;
      if (message.id === undefined) return void response.writeHead(202).end();
      if (isTold(message.params?.arguments, FAIL)) return void response.writeHead(500).end();
      afterWait(message, delayMs, () => {
        const body = answerTo(message, tools);
        response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(body) });
        response.end(body);
      });
    });
  });
  server.keepAliveTimeout = 60_000;
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}

/** The same over stdio, for peers that can only start a program. */
export function runStdioUpstream({ delayMs, tools }: UpstreamSpec): void {
  createInterface({ input: process.stdin }).on("line", (line) => {
    const message = JSON.parse(line) as Message;
    if (message.id === undefined) return;
    afterWait(message, delayMs, () => void process.stdout.write(`${answerTo(message, tools)}\n`));
  });
  process.stdin.on("end", () => process.exit(0));
}
