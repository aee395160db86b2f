import { fetch, type Pool } from "undici";

/** How a caller speaks: today's requests (barely, or with `fetch` as clients do), the sessions before them, or the event stream before those. */
export type Wire = "modern" | "fetch" | "session" | "sse";

export type Reply = { readonly status: number; readonly text: string };

/** One caller's way to a target. */
export type Line = {
  readonly call: (message: string) => Promise<Reply>;
  readonly close: () => void;
};

export type LineOptions = {
  readonly pool: Pool;
  readonly origin: string;
  readonly path: string;
  readonly tool: string;
  readonly key: string | null;
};

/** Sent where no key is needed, so that both calls are equally long. */
const NO_KEY = `cs_${"0".repeat(43)}`;
const SESSION_VERSION = "2025-06-18";
const NOTHING: Reply = { status: 0, text: "" };

type Answer = Reply & { readonly headers: Readonly<Record<string, string | string[] | undefined>> };
type Post = { readonly path: string; readonly headers: Record<string, string>; readonly body: string };

function post(pool: Pool, { path, headers, body }: Post): Promise<Answer> {
  return new Promise((resolve) => {
    let text = "";
    let status = 0;
    let answered: Answer["headers"] = {};
    pool.dispatch(
      { path, method: "POST", headers, body },
      {
        onRequestStart: () => undefined,
        onResponseStart: (_controller, code, received) => {
          status = code;
          answered = received;
        },
        onResponseData: (_controller, chunk) => {
          text += chunk.toString();
        },
        onResponseEnd: () => resolve({ status, text, headers: answered }),
        onResponseError: (_controller, cause) => resolve({ status: 0, text: String(cause), headers: {} }),
      },
    );
  });
}

const HELLO = { name: "bench", version: "1" };

/** The message of a call in two halves, between which the caller's own words go. */
function halves(tool: string, meta: object | null): readonly [string, string] {
  const _meta = meta === null ? {} : { _meta: meta };
  const params = { name: tool, arguments: { message: "\u0001" }, ..._meta };
  const [before = "", after = ""] = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params }).split(
    "\\u0001",
  );
  return [before, after];
}

function headersOf({ key }: LineOptions): Record<string, string> {
  return {
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
    authorization: `Bearer ${key ?? NO_KEY}`,
  };
}

/** The same request with what MCP clients are built on: web objects, streams and all. */
async function postByFetch(pool: Pool, origin: string, { path, headers, body }: Post): Promise<Reply> {
  try {
    const answer = await fetch(`${origin}${path}`, { method: "POST", headers, body, dispatcher: pool });
    return { status: answer.status, text: await answer.text() };
  } catch (cause) {
    return { status: 0, text: String(cause) };
  }
}

function modernLine(options: LineOptions, send: (post: Post) => Promise<Reply>): Line {
  const { path, tool } = options;
  const [before, after] = halves(tool, {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": HELLO,
    "io.modelcontextprotocol/clientCapabilities": {},
  });
  const headers = {
    ...headersOf(options),
    "mcp-protocol-version": "2026-07-28",
    "mcp-method": "tools/call",
    "mcp-name": tool,
  };
  return { call: (message) => send({ path, headers, body: before + message + after }), close: () => undefined };
}

const INITIALIZE = JSON.stringify({
  jsonrpc: "2.0",
  id: 0,
  method: "initialize",
  params: { protocolVersion: SESSION_VERSION, capabilities: {}, clientInfo: HELLO },
});
const INITIALIZED = JSON.stringify({ jsonrpc: "2.0", method: "notifications/initialized" });

async function sessionLine(options: LineOptions): Promise<Line> {
  const { pool, path } = options;
  const opened = await post(pool, { path, headers: headersOf(options), body: INITIALIZE });
  if (opened.status !== 200) throw new Error(`initialize was answered with ${opened.status}: ${opened.text}`);
  const session = opened.headers["mcp-session-id"];
  const headers = {
    ...headersOf(options),
    "mcp-protocol-version": SESSION_VERSION,
    ...(typeof session === "string" ? { "mcp-session-id": session } : {}),
  };
  await post(pool, { path, headers, body: INITIALIZED });
  const [before, after] = halves(options.tool, null);
  return { call: (message) => post(pool, { path, headers, body: before + message + after }), close: () => undefined };
}

/** Answers arrive as events on a stream of the caller's own, one at a time because it calls one at a time. */
async function sseLine(options: LineOptions): Promise<Line> {
  const { pool, path } = options;
  const events: string[] = [];
  let heard: ((data: string) => void) | null = null;
  const next = (): Promise<string> => {
    const early = events.shift();
    return early === undefined ? new Promise((resolve) => (heard = resolve)) : Promise.resolve(early);
  };
  const left = new AbortController();
  const stream = await pool.request({
    path,
    method: "GET",
    headers: { accept: "text/event-stream" },
    signal: left.signal,
  });
  if (stream.statusCode !== 200) throw new Error(`the event stream was answered with ${stream.statusCode}`);
  let rest = "";
  // A stream that ends early leaves its caller waiting, which the benchmark notices.
  stream.body.on("error", () => undefined);
  stream.body.on("data", (chunk: Buffer) => {
    const parts = (rest + chunk.toString()).split("\n\n");
    rest = parts.pop() ?? "";
    for (const part of parts) {
      const data = /^data: ?(.+)$/m.exec(part)?.[1];
      if (data === undefined) continue;
      if (heard === null) events.push(data);
      else heard(data);
      heard = null;
    }
  });
  const endpoint = await next();
  const headers = headersOf(options);
  const say = (body: string) => post(pool, { path: endpoint, headers, body });
  await say(INITIALIZE);
  await next();
  await say(INITIALIZED);
  const [before, after] = halves(options.tool, null);
  return {
    async call(message) {
      const { status, text } = await say(before + message + after);
      return status === 202 ? { status: 200, text: await next() } : { ...NOTHING, text: `${status} ${text}` };
    },
    close: () => left.abort(),
  };
}

function shakeHands(wire: Wire, options: LineOptions): Line | Promise<Line> {
  switch (wire) {
    case "modern":
      return modernLine(options, (sent) => post(options.pool, sent));
    case "fetch":
      return modernLine(options, (sent) => postByFetch(options.pool, options.origin, sent));
    case "session":
      return sessionLine(options);
    case "sse":
      return sseLine(options);
  }
}

const HANDSHAKE_MS = 30_000;

/** Opens one caller's line; rejects when the target does not shake hands within half a minute. */
export async function openLine(wire: Wire, options: LineOptions): Promise<Line> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error("no handshake within 30 s")), HANDSHAKE_MS);
  });
  return Promise.race([shakeHands(wire, options), late]).finally(() => clearTimeout(timer));
}
