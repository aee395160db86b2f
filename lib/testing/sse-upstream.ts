import { type ChildProcess, spawn } from "node:child_process";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { freePort, gone } from "@/lib/testing/door-processes";

const EVERYTHING = "node_modules/@modelcontextprotocol/server-everything/dist/index.js";

export type SseServer = { readonly url: string; readonly close: () => Promise<void> };

/** The reference server from npm, over the transport of revision 2024-11-05. */
export async function startEverythingOverSse(): Promise<SseServer> {
  const port = await freePort();
  const child: ChildProcess = spawn(process.execPath, [EVERYTHING, "sse"], {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, PORT: String(port) },
  });
  const close = async () => {
    child.kill("SIGKILL");
    await gone(child);
  };
  await new Promise<void>((resolve, reject) => {
    let said = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      if (said.includes("running on port")) resolve();
    });
    child.once("exit", () => reject(new Error(`The server ended while starting: ${said}`)));
  });
  return { url: `http://127.0.0.1:${port}/sse`, close };
}

type Message = { readonly id?: number; readonly method?: string; readonly params?: { readonly name?: string } };

/** The stream of one client, and what a test does with the messages that are posted for it. */
export type RawSse = SseServer & {
  readonly streams: readonly ServerResponse[];
  readonly posted: { readonly message: Message; readonly headers: IncomingMessage["headers"] }[];
  /** What every stream begins with. */
  readonly setGreeting: (greeting: string) => void;
};

type Options = {
  readonly onMessage?: (message: Message, say: (text: string) => void, stream: ServerResponse) => void;
  readonly answerStream?: (response: ServerResponse) => void;
  /** Status of the answer to a POST. */
  readonly statusOf?: (message: Message) => number;
  /** How long a POST is on its way before it is taken, in ms. */
  readonly delayOf?: (message: Message) => number;
};

export const HELLO = {
  protocolVersion: "2024-11-05",
  capabilities: { tools: {} },
  serverInfo: { name: "raw", version: "1" },
};

/** A server of that transport by hand, which greets well, and does with everything else what the test wants. */
export async function startRawSse({ onMessage, answerStream, statusOf, delayOf }: Options = {}): Promise<RawSse> {
  const streams: ServerResponse[] = [];
  const posted: RawSse["posted"] = [];
  let greeting = "event: endpoint\ndata: /messages?session=1\n\n";
  const take = (message: Message, headers: IncomingMessage["headers"]) => {
    posted.push({ message, headers });
    const stream = streams.at(-1);
    const say = (text: string) => void stream?.write(`event: message\r\ndata: ${text}\r\n\r\n`);
    if (message.method === "initialize") say(JSON.stringify({ jsonrpc: "2.0", id: message.id, result: HELLO }));
    else if (stream !== undefined) onMessage?.(message, say, stream);
  };
  const http = createServer((request, response) => {
    if (request.method === "GET") {
      if (answerStream !== undefined) return answerStream(response);
      response.writeHead(200, { "content-type": "text/event-stream" }).write(greeting);
      streams.push(response);
      return;
    }
    let text = "";
    request.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
    request.on("end", () => {
      const message = JSON.parse(text) as Message;
      const status = statusOf?.(message) ?? 202;
      setTimeout(() => {
        response.writeHead(status).end("Accepted");
        if (status < 300) take(message, request.headers);
      }, delayOf?.(message) ?? 0);
    });
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/sse`,
    streams,
    posted,
    setGreeting(text) {
      greeting = text;
    },
    close: () =>
      new Promise<void>((resolve) => {
        http.close(() => resolve());
        http.closeAllConnections();
      }),
  };
}
