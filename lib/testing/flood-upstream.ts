import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import type { Endpoint } from "@/lib/mcp/upstream/open-upstream";

export type FloodTransport = "stdio" | "http" | "sse" | "websocket";
export type Flood = { readonly endpoint: Endpoint; readonly close: () => void };

const WS = JSON.stringify(createRequire(import.meta.url).resolve("ws"));
const ANSWER = `const answer = (id) => JSON.stringify({ jsonrpc: "2.0", id, result:
  { protocolVersion: "2025-11-25", capabilities: { tools: {} }, serverInfo: { name: "flood", version: "1" } } });`;
const TELL = `function () { console.log(this.address().port); }`;

/** Programs that greet well and, asked anything else, say `lines` again and again, as fast as they are heard. */
const PROGRAMS: Readonly<Record<FloodTransport, string>> = {
  stdio: `
    const piece = lines.join("\\n") + "\\n";
    const pour = () => { while (process.stdout.write(piece)); process.stdout.once("drain", pour); };
    require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
      const { id, method } = JSON.parse(line);
      if (method === "initialize") process.stdout.write(answer(id) + "\\n");
      else if (id !== undefined) pour();
    });`,
  http: `
    const piece = lines.map((line) => "data: " + line + "\\n\\n").join("");
    require("node:http").createServer((request, response) => {
      const pour = () => { while (response.write(piece)); response.once("drain", pour); };
      let body = "";
      request.on("data", (chunk) => (body += chunk)).on("end", () => {
        const { id, method } = JSON.parse(body || "{}");
        if (method === "initialize") response.writeHead(200, { "content-type": "application/json" }).end(answer(id));
        else if (method !== "tools/call") response.writeHead(202).end();
        else response.writeHead(200, { "content-type": "text/event-stream" }), pour();
      });
    }).listen(0, "127.0.0.1", ${TELL});`,
  sse: `
    const piece = lines.map((line) => "data: " + line + "\\n\\n").join("");
    let stream;
    const pour = () => { while (stream.write(piece)); stream.once("drain", pour); };
    require("node:http").createServer((request, response) => {
      if (request.method === "GET") {
        stream = response;
        return response.writeHead(200, { "content-type": "text/event-stream" }).write("event: endpoint\\ndata: /post\\n\\n");
      }
      let body = "";
      request.on("data", (chunk) => (body += chunk)).on("end", () => {
        response.writeHead(202).end();
        const { id, method } = JSON.parse(body);
        if (method === "initialize") stream.write("data: " + answer(id) + "\\n\\n");
        else if (id !== undefined) pour();
      });
    }).listen(0, "127.0.0.1", ${TELL});`,
  websocket: `
    const { WebSocketServer } = require(${WS});
    const pour = (socket) => {
      for (const line of lines) socket.send(line);
      if (socket.readyState === 1) setImmediate(pour, socket);
    };
    new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols: () => "mcp" }, ${TELL})
      .on("connection", (socket) => socket.on("message", (data) => {
        const { id, method } = JSON.parse(String(data));
        if (method === "initialize") socket.send(answer(id));
        else if (id !== undefined) pour(socket);
      }));`,
};

/** A server in a process of its own that drowns whoever calls it. */
export async function startFlood(transport: FloodTransport, line: string): Promise<Flood> {
  const program = `const lines = Array(1000).fill(${JSON.stringify(line)}); ${ANSWER} ${PROGRAMS[transport]}`;
  if (transport === "stdio") {
    return { endpoint: { transport, command: "node", args: ["-e", program], env: {} }, close: () => undefined };
  }
  const child = spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "inherit"] });
  const [said] = await once(child.stdout, "data");
  const url = `${transport === "websocket" ? "ws" : "http"}://127.0.0.1:${Number(String(said))}/`;
  return { endpoint: { transport, url }, close: () => child.kill("SIGKILL") };
}
