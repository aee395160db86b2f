import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import type { ServerEndpoint } from "@/lib/servers/schemas";

export const LARGE_TRANSPORTS = ["json", "events", "stdio", "sse", "websocket"] as const;
export type LargeTransport = (typeof LARGE_TRANSPORTS)[number];

const WS = JSON.stringify(createRequire(import.meta.url).resolve("ws"));

/** What the program answers, whatever carries it. Spaced out, as servers in other languages write. */
const ANSWERS = `
  const info = { protocolVersion: "2025-11-25", serverInfo: { name: "large", version: "1" } };
  const rows = (count) => Array.from({ length: count }, (_, at) => ({ type: "text", text: "row \\u00e9 \\"" + at }));
  const tools = ["rows", "failure", "links"].map((name) => ({ name, inputSchema: { type: "object" }, annotations: { readOnlyHint: true } }));
  const resultOf = ({ method, params }) => {
    if (method === "initialize") return { ...info, capabilities: { tools: {}, resources: {} } };
    if (method === "tools/list") return { tools };
    if (method === "resources/read")
      return { contents: rows(params.uri === "small" ? 1 : 10_000).map(({ text }, at) => ({ uri: "file:///" + at, text })) };
    if (params?.name === "links")
      return { content: rows(10_000).map(({ text }, at) => ({ uri: "file:///" + at, name: text, type: "resource_link" })) };
    if (params?.name === "failure") return { content: rows(10_000), isError: true };
    return { content: rows(params?.arguments?.count ?? 10_000), structuredContent: { big: "x".repeat(400_000), n: 1 }, _meta: { from: "large" } };
  };
  const answerTo = (text) => {
    const message = JSON.parse(text);
    if (message.id === undefined || message.method === undefined) return null;
    if (message.method === "server/discover")
      return JSON.stringify({ jsonrpc: "2.0", id: message.id, error: { code: -32601, message: "no" } });
    return JSON.stringify({ jsonrpc: "2.0", id: message.id, result: resultOf(message) }).replaceAll('":', '" : ');
  };
  const read = (request, then) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk) => (body += chunk)).on("end", () => then(answerTo(body)));
  };
  function tell() { console.log(this.address().port); }`;

const http = (type: string, before: string, after: string) => `
  require("node:http").createServer((request, response) => {
    if (request.method !== "POST") return response.writeHead(405).end();
    read(request, (answer) => {
      if (answer === null) return response.writeHead(202).end();
      response.writeHead(200, { "content-type": ${JSON.stringify(type)} });
      response.end(${JSON.stringify(before)} + answer + ${JSON.stringify(after)});
    });
  }).listen(0, "127.0.0.1", tell);`;

const PROGRAMS: Readonly<Record<LargeTransport, string>> = {
  json: http("application/json", "", ""),
  events: http("text/event-stream", "data: ", "\n\n"),
  stdio: `
    require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
      const answer = answerTo(line);
      if (answer !== null) process.stdout.write(answer + "\\n");
    });`,
  sse: `
    let stream;
    require("node:http").createServer((request, response) => {
      if (request.method === "GET") {
        stream = response.writeHead(200, { "content-type": "text/event-stream" });
        return stream.write("event: endpoint\\ndata: /post\\n\\n");
      }
      read(request, (answer) => {
        response.writeHead(202).end();
        if (answer !== null) stream.write("data: " + answer + "\\n\\n");
      });
    }).listen(0, "127.0.0.1", tell);`,
  websocket: `
    const { WebSocketServer } = require(${WS});
    new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols: () => "mcp" }, tell)
      .on("connection", (socket) => socket.on("message", (data) => {
        const answer = answerTo(String(data));
        if (answer !== null) socket.send(answer);
      }));`,
};

/** A server in a process of its own whose answers are large. */
export async function startLargeUpstream(
  transport: LargeTransport,
): Promise<{ readonly endpoint: ServerEndpoint; readonly close: () => void }> {
  const program = `${ANSWERS} ${PROGRAMS[transport]}`;
  if (transport === "stdio") {
    return { endpoint: { transport, command: "node", args: ["-e", program], env: {} }, close: () => undefined };
  }
  const child = spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "inherit"] });
  const [said] = await once(child.stdout, "data");
  const address = `127.0.0.1:${Number(String(said))}/mcp`;
  const close = () => child.kill("SIGKILL");
  if (transport === "websocket") return { endpoint: { transport, url: `ws://${address}` }, close };
  return { endpoint: { transport: transport === "sse" ? "sse" : "http", url: `http://${address}` }, close };
}
