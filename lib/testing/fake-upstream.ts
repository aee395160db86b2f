import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { drip, pause, pour } from "@/lib/testing/endless-bodies";

/** What goes wrong with `tools/call`; everything else keeps working, so that a server can be connected first. */
export type Fault =
  | "none"
  | "hang"
  | "reset"
  | "cut"
  | "garbage"
  | "wrong-id"
  | "huge"
  | "drip"
  | "deep"
  | "slow"
  | "redirect"
  | "status-500"
  | "status-500-once"
  | "status-429"
  | "status-401"
  | "rpc-error"
  | "is-error"
  | "lost-session";

export type FakeUpstreamOptions = {
  readonly era?: "modern" | "legacy";
  readonly tools?: readonly string[];
  /** What it says it has; it lists and serves nothing but tools. */
  readonly capabilities?: object;
  /** What the server says of its tools. */
  readonly annotations?: Readonly<Record<string, Readonly<Record<string, boolean>>>>;
  /** What its tools ask for; any object where nothing is said. */
  readonly inputSchemas?: Readonly<Record<string, object>>;
  /** Sees each tool call as it is executed. */
  readonly onCall?: (tool: string, args: Record<string, unknown>) => void;
  /** Answers with an event stream and this many progress notifications before the result. */
  readonly progress?: number;
  readonly slowMs?: number;
  /** Ends the wait of a slow call, instead of `slowMs`. */
  readonly slowUntil?: () => Promise<unknown>;
  readonly port?: number;
  /** Refuses a lost session with 400, as many servers do, instead of 404. */
  readonly saysBadRequest?: boolean;
};

type Definitions = readonly Readonly<Record<string, unknown>>[];
/** `endless`: each page of the list says that there is a further one, also where resources are listed. */
export type Listing = Definitions | { readonly status: number } | { readonly endless: Definitions };

export type FakeUpstream = {
  readonly url: string;
  readonly setFault: (fault: Fault) => void;
  /** What `tools/list` answers from now on: whole definitions, or a status instead of any. */
  readonly setListing: (listing: Listing | null) => void;
  readonly calls: { readonly tool: string; readonly args: Record<string, unknown> }[];
  readonly requests: {
    readonly method: string;
    readonly headers: IncomingMessage["headers"];
    /** `_meta` of its params. */
    readonly meta: unknown;
  }[];
  /** Requests that the client left before they were answered. */
  readonly left: () => number;
  /** `requestId` of each `notifications/cancelled` that came. */
  readonly cancelled: unknown[];
  readonly close: () => Promise<void>;
};

type Message = { id?: unknown; method?: string; params?: Record<string, unknown> };
type Session = { id: string };

/** A real MCP server over HTTP, with faults that can be switched on while it runs. */
export async function startFakeUpstream(options: FakeUpstreamOptions = {}): Promise<FakeUpstream> {
  const { era = "modern", tools = ["echo"] } = options;
  const calls: FakeUpstream["calls"] = [];
  const requests: FakeUpstream["requests"] = [];
  const cancelled: unknown[] = [];
  const session: Session = { id: "session-1" };
  let fault: Fault = "none";
  let listing: Listing | null = null;
  let left = 0;
  let sessions = 1;

  function answerLost(response: ServerResponse): void {
    const body = { jsonrpc: "2.0", id: null, error: { code: -32000, message: "No valid session ID provided" } };
    if (options.saysBadRequest !== true) response.writeHead(404).end();
    else response.writeHead(400, { "content-type": "application/json" }).end(JSON.stringify(body));
  }

  function tell(response: ServerResponse, message: Message): void {
    const isEndless = listing !== null && "endless" in listing && message.method === "resources/list";
    if (listing !== null && (isEndless || message.method === "tools/list")) sendListing(response, message, listing);
    else send(response, message, introduce(message, era, options, tools, session));
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on("close", () => {
      if (!response.writableEnded) left += 1;
    });
    const message = await readMessage(request);
    requests.push({ method: message.method ?? "", headers: request.headers, meta: message.params?.["_meta"] });
    if (message.id === undefined) {
      if (message.method === "notifications/cancelled") cancelled.push(message.params?.["requestId"]);
      response.writeHead(202).end();
      return;
    }
    if (era === "legacy" && message.method !== "initialize" && request.headers["mcp-session-id"] !== session.id) {
      return answerLost(response);
    }
    if (message.method !== "tools/call") return tell(response, message);
    if (fault === "lost-session") {
      fault = "none";
      session.id = `session-${++sessions}`;
      return answerLost(response);
    }
    if (fault === "status-500-once") {
      fault = "none";
      return void response.writeHead(500).end("oops");
    }
    const { name, arguments: args = {} } = message.params as { name: string; arguments?: Record<string, unknown> };
    const note = () => {
      calls.push({ tool: name, args });
      options.onCall?.(name, args);
    };
    await misbehave(fault, request, response, message, note, options);
  }

  const server: Server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  server.keepAliveTimeout = 30_000;
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    setFault: (next) => {
      fault = next;
    },
    setListing: (next) => {
      listing = next;
    },
    calls,
    requests,
    cancelled,
    left: () => left,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function readMessage(request: IncomingMessage): Promise<Message> {
  // The end of a session: told like a notification, which has no answer either.
  if (request.method === "DELETE") return { method: "DELETE" };
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString("utf8")) as Message;
}

function send(response: ServerResponse, message: Message, reply: Record<string, unknown>): void {
  const { headers = {}, ...rest } = reply as { headers?: Record<string, string> };
  const body = JSON.stringify({ jsonrpc: "2.0", id: message.id, ...rest });
  response.writeHead(200, { "content-type": "application/json", ...headers }).end(body);
}

const inBoth = (items: Definitions) => ({ tools: items, resources: items });

function sendListing(response: ServerResponse, message: Message, listing: Listing): void {
  if ("status" in listing) return void response.writeHead(listing.status).end();
  const page = "endless" in listing ? { ...inBoth(listing.endless), nextCursor: "more" } : { tools: listing };
  send(response, message, { result: { ...page, resultType: "complete", ttlMs: 0, cacheScope: "private" } });
}

/** Everything but tool calls. */
function introduce(
  message: Message,
  era: "modern" | "legacy",
  { annotations = {}, inputSchemas = {}, capabilities = { tools: {} } }: FakeUpstreamOptions,
  tools: readonly string[],
  session: Session,
) {
  if (message.method === "initialize" && era === "legacy") {
    return {
      headers: { "mcp-session-id": session.id },
      result: {
        protocolVersion: "2025-06-18",
        capabilities,
        serverInfo: { name: "fake", version: "1" },
      },
    };
  }
  const rest = {
    resultType: "complete",
    ttlMs: 0,
    cacheScope: "private",
    _meta: { "io.modelcontextprotocol/serverInfo": { name: "fake", version: "1" } },
  };
  if (message.method === "server/discover" && era === "modern") {
    return { result: { supportedVersions: ["2026-07-28"], capabilities, ...rest } };
  }
  if (message.method === "tools/list") {
    const listed = tools.map((name) => ({
      name,
      description: `Fake ${name}`,
      inputSchema: inputSchemas[name] ?? { type: "object" },
      ...(annotations[name] ? { annotations: annotations[name] } : {}),
    }));
    return { result: { tools: listed, ...rest } };
  }
  return { error: { code: -32601, message: "Method not found" } };
}

function toolResult(message: Message): Record<string, unknown> {
  const { arguments: args } = message.params as { arguments?: unknown };
  return { result: { content: [{ type: "text", text: JSON.stringify(args ?? {}) }], resultType: "complete" } };
}

async function misbehave(
  fault: Fault,
  request: IncomingMessage,
  response: ServerResponse,
  message: Message,
  note: () => void,
  options: FakeUpstreamOptions,
): Promise<void> {
  const json = { "content-type": "application/json" };
  switch (fault) {
    case "none":
      note();
      return options.progress === undefined
        ? send(response, message, toolResult(message))
        : stream(response, message, options.progress);
    case "hang":
      return;
    case "reset":
      request.socket.resetAndDestroy();
      return;
    case "cut":
      response.writeHead(200, { ...json, "content-length": "100" }).write('{"jsonrpc"');
      await pause(20);
      request.socket.destroy();
      return;
    case "garbage":
      response.writeHead(200, json).end("<html>not what you asked for</html>");
      return;
    case "wrong-id":
      return send(response, { ...message, id: 987_654_321 }, toolResult(message));
    case "huge":
      return pour(response);
    case "drip":
      return drip(response);
    case "deep":
      response.writeHead(200, json).end(`{"jsonrpc":"2.0","id":${message.id},"result":${"[".repeat(100_000)}`);
      return;
    case "slow":
      await (options.slowUntil?.() ?? pause(options.slowMs ?? 300));
      note();
      return send(response, message, toolResult(message));
    case "redirect":
      response.writeHead(302, { location: "http://127.0.0.1:1/" }).end();
      return;
    case "status-500":
      response.writeHead(500).end("oops");
      return;
    case "status-429":
      response.writeHead(429, { "retry-after": "1" }).end();
      return;
    case "status-401":
      response.writeHead(401).end();
      return;
    case "rpc-error":
      return send(response, message, { error: { code: -32602, message: "m must be a string" } });
    case "is-error":
      return send(response, message, { result: { isError: true, content: [{ type: "text", text: "no such file" }] } });
    case "lost-session":
    case "status-500-once":
      return;
  }
}

async function stream(response: ServerResponse, message: Message, count: number): Promise<void> {
  response.writeHead(200, { "content-type": "text/event-stream" });
  const meta = message.params?.["_meta"] as { progressToken?: unknown } | undefined;
  for (let progress = 1; progress <= count && meta?.progressToken !== undefined; progress += 1) {
    const params = { progressToken: meta.progressToken, progress, total: count };
    response.write(
      `event: message\ndata: ${JSON.stringify({ jsonrpc: "2.0", method: "notifications/progress", params })}\n\n`,
    );
    await pause(10);
  }
  response.end(
    `event: message\ndata: ${JSON.stringify({ jsonrpc: "2.0", id: message.id, ...toolResult(message) })}\n\n`,
  );
}
