import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { PassThrough } from "node:stream";
import { expect } from "vitest";
import { bridge } from "@/lib/cli/stdio-bridge";

/** A client over standard streams, with the bridge in this process. Fails on a line that is no JSON. */
export function startBridge(url: string, key = "cs_test") {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const lines: Record<string, unknown>[] = [];
  let rest = "";
  output.on("data", (chunk: Buffer) => {
    const parts = (rest + chunk.toString("utf8")).split("\n");
    rest = parts.pop() ?? "";
    lines.push(...parts.map((line) => JSON.parse(line)));
  });
  const done = bridge({ url, key, input, output });
  return {
    lines,
    input,
    output,
    done,
    send: (message: object) => input.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`),
    answerTo: (id: number) =>
      expect
        .poll(() => lines.find((line) => line["id"] === id), { timeout: 5_000 })
        .toBeDefined()
        .then(() => lines.find((line) => line["id"] === id)),
    end: async () => {
      input.end();
      await done;
    },
  };
}

export type Answering = (request: IncomingMessage, response: ServerResponse) => unknown;

/** A door that answers as the test says; at a port of its own, or at the one given. */
export async function fakeDoor(answer: Answering, port = 0) {
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const { port: taken } = server.address() as AddressInfo;
  return {
    port: taken,
    url: `http://127.0.0.1:${taken}/api/mcp`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The message that a request carries. */
export async function messageOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return chunks.length === 0 ? {} : JSON.parse(Buffer.concat(chunks).toString("utf8"));
}
