/* eslint-disable @typescript-eslint/no-deprecated -- schemas of JSON Schema 2020-12 need the low-level server */
import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import {
  acceptedContent,
  createMcpHandler,
  createRequestStateCodec,
  type GetPromptResult,
  hostHeaderValidationResponse,
  type InputRequiredResult,
  inputRequired,
  isLegacyRequest,
  localhostAllowedHostnames,
  type McpHttpHandler,
  McpServer,
  ProtocolError,
  type ReadResourceResult,
  Server,
  type ServerContext,
  type Tool,
  WebStandardStreamableHTTPServerTransport,
} from "@modelcontextprotocol/server";
import { z } from "zod";
import { type Changes, CONFORMANCE_TOOLS, MIRRORED, PIXEL } from "@/lib/testing/conformance-tools";

export type ConformanceUpstream = {
  readonly url: string;
  /** What came, by its headers. */
  readonly requests: readonly IncomingMessage["headers"][];
  /** Streams behind GET that are open now. */
  readonly streams: () => number;
  /** Forgets all sessions, as after a restart. */
  readonly loseSessions: () => Promise<void>;
  readonly close: () => Promise<void>;
};
export type ConformanceEras = "both" | "modern" | "legacy";

const RESOURCES = [
  { uri: "test://static-text", name: "static-text", mimeType: "text/plain" },
  { uri: "test://static-binary", name: "static-binary", mimeType: "image/png" },
  { uri: "test://watched-resource", name: "watched-resource", mimeType: "text/plain" },
];
const TEMPLATE = { uriTemplate: "test://template/{id}/data", name: "template", mimeType: "application/json" };

function read(uri: string): ReadResourceResult {
  const templated = /^test:\/\/template\/([^/]+)\/data$/.exec(uri)?.[1];
  const known = RESOURCES.find((each) => each.uri === uri);
  if (templated !== undefined) {
    const body = { id: templated, templateTest: true, data: `Data for ID: ${templated}` };
    return { contents: [{ uri, mimeType: TEMPLATE.mimeType, text: JSON.stringify(body) }] };
  }
  if (known === undefined) throw new ProtocolError(-32602, `Resource not found: ${uri}`, { uri });
  const { mimeType } = known;
  return {
    contents: [mimeType === "image/png" ? { uri, mimeType, blob: PIXEL } : { uri, mimeType, text: `This is ${uri}.` }],
  };
}

const said = (text: string) => ({ role: "user", content: { type: "text", text } }) as const;
type Prompt = {
  readonly arguments?: readonly string[];
  readonly get: (args: Record<string, string>, ctx: ServerContext) => GetPromptResult | InputRequiredResult;
};
const PROMPTS: Readonly<Record<string, Prompt>> = {
  test_simple_prompt: { get: () => ({ messages: [said("This is a simple prompt for testing.")] }) },
  test_prompt_with_arguments: {
    arguments: ["arg1", "arg2"],
    get: ({ arg1, arg2 }) => ({ messages: [said(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)] }),
  },
  test_prompt_with_embedded_resource: {
    arguments: ["resourceUri"],
    get: ({ resourceUri = "" }) => {
      const resource = { uri: resourceUri, mimeType: "text/plain", text: "Embedded resource content for testing." };
      return {
        messages: [
          { role: "user", content: { type: "resource", resource } },
          said("Please process the resource above."),
        ],
      };
    },
  },
  test_prompt_with_image: {
    get: () => ({
      messages: [
        { role: "user", content: { type: "image", data: PIXEL, mimeType: "image/png" } },
        said("Please analyze the image above."),
      ],
    }),
  },
  test_input_required_result_prompt: {
    get: (_args, ctx) => {
      const context = acceptedContent(ctx.mcpReq.inputResponses, "user_context")?.["context"];
      if (typeof context === "string") return { messages: [said(`Use this context: ${context}`)] };
      const requestedSchema = {
        type: "object",
        properties: { context: { type: "string" } },
        required: ["context"],
      } as const;
      const message = "What context should the prompt use?";
      const params = { message, requestedSchema } as unknown as Parameters<typeof inputRequired.elicit>[0];
      return inputRequired({ inputRequests: { user_context: inputRequired.elicit(params) } });
    },
  },
};

const codec = createRequestStateCodec<string>({ key: randomUUID() });

const INFO = { name: "conformance-upstream", version: "1.0.0" };
const OPTIONS = {
  capabilities: {
    tools: { listChanged: true },
    resources: { subscribe: true, listChanged: true },
    prompts: { listChanged: true },
    logging: {},
    completions: {},
  },
  requestState: { verify: codec.verify },
};

/** As `equip`; the official entry compares headers with arguments only for tools that it knows itself. */
function makeModernServer(changes: Changes): McpServer {
  const outer = new McpServer(INFO, OPTIONS);
  const region = z.string().optional().meta({ "x-mcp-header": "Region" });
  outer.registerTool(MIRRORED.name, { inputSchema: z.object({ region }) }, () => ({ content: [] }));
  equip(outer.server, changes);
  return outer;
}

/** What each session follows. */
const follows = new WeakMap<Server, Set<string>>();

/** Tells a session of a resource that has changed, where it follows it. */
export async function tellUpdated(server: Server, uri: string): Promise<void> {
  if (follows.get(server)?.has(uri) === true) await server.sendResourceUpdated({ uri });
}

/** Every tool, resource and prompt that the suites name, on the low-level server of the official SDK. */
function equip(server: Server, changes: Changes): Server {
  server.setRequestHandler("tools/list", () => ({
    tools: Object.entries(CONFORMANCE_TOOLS).map(
      ([name, { inputSchema, annotations }]) => ({ name, description: name, inputSchema, annotations }) as Tool,
    ),
  }));
  server.setRequestHandler("tools/call", async ({ params }, ctx) => {
    const tool = Object.hasOwn(CONFORMANCE_TOOLS, params.name) ? CONFORMANCE_TOOLS[params.name] : undefined;
    if (tool === undefined) throw new ProtocolError(-32602, `Unknown tool: ${params.name}`);
    return sealed(await tool.run(ctx, params.arguments ?? {}, changes));
  });
  server.setRequestHandler("resources/list", () => ({ resources: RESOURCES }));
  server.setRequestHandler("resources/templates/list", () => ({ resourceTemplates: [TEMPLATE] }));
  server.setRequestHandler("resources/read", ({ params }) => read(params.uri));
  const followed = new Set<string>();
  follows.set(server, followed);
  server.setRequestHandler("resources/subscribe", ({ params }) => {
    if (!RESOURCES.some(({ uri }) => uri === params.uri)) throw new ProtocolError(-32602, `No such: ${params.uri}`);
    followed.add(params.uri);
    return {};
  });
  server.setRequestHandler("resources/unsubscribe", ({ params }) => {
    followed.delete(params.uri);
    return {};
  });
  server.setRequestHandler("prompts/list", () => ({
    prompts: Object.entries(PROMPTS).map(([name, { arguments: names = [] }]) => ({
      name,
      description: name,
      arguments: names.map((each) => ({ name: each, required: true })),
    })),
  }));
  server.setRequestHandler("prompts/get", ({ params }, ctx) => {
    const prompt = Object.hasOwn(PROMPTS, params.name) ? PROMPTS[params.name] : undefined;
    if (prompt === undefined) throw new ProtocolError(-32602, `Unknown prompt: ${params.name}`);
    return prompt.get(params.arguments ?? {}, ctx);
  });
  server.setRequestHandler("completion/complete", ({ params }) => {
    const values = ["paris", "park", "party"].filter((word) => word.startsWith(params.argument.value));
    return { completion: { values, total: values.length, hasMore: false } };
  });
  return server;
}

/** A server of the sessions era, for a transport of one's own. */
export const makeSessionServer = (changes: Changes): Server => equip(new Server(INFO, OPTIONS), changes);

/** Words of state leave signed, so that a changed one is noticed when it comes back. */
async function sealed<T extends object>(result: T): Promise<T> {
  const state = (result as { requestState?: unknown }).requestState;
  return typeof state === "string" ? { ...result, requestState: await codec.mint(state) } : result;
}

/** Sessions as the official transport keeps them. */
function makeSessions(): {
  serve: (request: Request) => Promise<Response>;
  lose: () => Promise<void>;
  close: () => Promise<void>;
} {
  const open = new Map<string, { transport: WebStandardStreamableHTTPServerTransport; server: Server }>();
  const changes: Changes = {
    tools: () => void each((server) => server.sendToolListChanged()),
    prompts: () => void each((server) => server.sendPromptListChanged()),
    resource: (uri) => void each((server) => tellUpdated(server, uri)),
  };
  const each = (tell: (server: Server) => Promise<void>) => {
    for (const { server } of open.values()) tell(server).catch(() => undefined);
  };
  return {
    async serve(request) {
      const known = open.get(request.headers.get("mcp-session-id") ?? "");
      if (known !== undefined) return known.transport.handleRequest(request);
      if (request.headers.has("mcp-session-id")) return new Response(null, { status: 404 });
      const transport = new WebStandardStreamableHTTPServerTransport({
        sessionIdGenerator: () => randomUUID(),
        onsessioninitialized: (id) => void open.set(id, { transport, server }),
        onsessionclosed: (id) => void open.delete(id),
      });
      const server = makeSessionServer(changes);
      await server.connect(transport);
      return transport.handleRequest(request);
    },
    async lose() {
      const lost = [...open.values()];
      open.clear();
      await Promise.all(lost.map(({ server }) => server.close()));
    },
    async close() {
      await Promise.all([...open.values()].map(({ server }) => server.close()));
    },
  };
}

/** The server that the official suites are run against, directly and through our door. */
export async function startConformanceUpstream(eras: ConformanceEras = "both"): Promise<ConformanceUpstream> {
  const sessions = makeSessions();
  const handler: McpHttpHandler = createMcpHandler(
    () =>
      makeModernServer({
        tools: () => handler.notify.toolsChanged(),
        prompts: () => handler.notify.promptsChanged(),
        resource: (uri) => handler.notify.resourceUpdated(uri),
      }),
    { legacy: "reject" },
  );
  const serve = async (request: Request): Promise<Response> => {
    const refused = hostHeaderValidationResponse(request, localhostAllowedHostnames());
    if (refused !== undefined) return refused;
    if (eras === "legacy" || (eras === "both" && (await isLegacyRequest(request)))) return sessions.serve(request);
    return handler.fetch(request);
  };
  const requests: IncomingMessage["headers"][] = [];
  let streams = 0;
  const http = createServer((request, response) => {
    // The end of a session is no request, and says so by its method.
    if (request.method !== "DELETE") requests.push(request.headers);
    if (request.method === "GET") {
      streams += 1;
      response.on("close", () => (streams -= 1));
    }
    void answer(request, response, serve);
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`,
    requests,
    streams: () => streams,
    loseSessions: sessions.lose,
    async close() {
      await Promise.allSettled([handler.close(), sessions.close()]);
      await new Promise<void>((resolve) => {
        http.close(() => resolve());
        http.closeAllConnections();
      });
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  serve: (request: Request) => Promise<Response>,
): Promise<void> {
  const left = new AbortController();
  response.on("close", () => left.abort());
  const hasBody = request.method !== "GET" && request.method !== "HEAD";
  const asked = new Request(`http://${request.headers.host}${request.url}`, {
    method: request.method ?? "GET",
    headers: Object.entries(request.headers).map(([name, value]) => [name, String(value)] as [string, string]),
    signal: left.signal,
    ...(hasBody ? { body: Readable.toWeb(request) as ReadableStream, duplex: "half" } : {}),
  } as RequestInit);
  try {
    const answered = await serve(asked);
    response.writeHead(answered.status, Object.fromEntries(answered.headers));
    const body = answered.body?.getReader();
    // Whoever leaves a standing stream frees its place.
    left.signal.addEventListener("abort", () => void body?.cancel().catch(() => undefined), { once: true });
    for (let part = await body?.read(); part?.done === false; part = await body?.read()) response.write(part.value);
  } catch {
    if (!response.headersSent) response.writeHead(500);
  }
  response.end();
}
