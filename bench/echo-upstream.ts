import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const META = {
  resultType: "complete",
  ttlMs: 0,
  cacheScope: "private",
  _meta: { "io.modelcontextprotocol/serverInfo": { name: "echo", version: "1" } },
};

type Message = { id?: unknown; method: string; params?: { arguments?: unknown } };

function resultOf({ method, params }: Message): unknown {
  if (method === "tools/call") {
    return { content: [{ type: "text", text: JSON.stringify(params?.arguments) }], resultType: "complete" };
  }
  if (method === "tools/list") {
    return { tools: [{ name: "echo", description: "Echoes.", inputSchema: { type: "object" } }], ...META };
  }
  return { supportedVersions: ["2026-07-28"], capabilities: { tools: {} }, ...META };
}

/** The message of a call that this server answers with a broken status. */
export const FAIL = "fail";

const isTold = ({ params }: Message, text: string): boolean =>
  (params?.arguments as { message?: unknown } | undefined)?.message === text;

/** The leanest server there can be, so that what is measured is the road to it. Prints its port. */
export function runEchoUpstream(): void {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const message = JSON.parse(Buffer.concat(chunks).toString()) as Message;
      if (isTold(message, FAIL)) {
        response.writeHead(500).end();
        return;
      }
      const body = JSON.stringify({ jsonrpc: "2.0", id: message.id, result: resultOf(message) });
      response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(body) });
      response.end(body);
    });
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, "127.0.0.1", () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));
}
