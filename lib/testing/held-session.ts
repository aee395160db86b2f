import { Agent, type IncomingMessage, request } from "node:http";
import { newId } from "@/lib/core/ids";
import { META, MODERN_VERSION } from "@/lib/mcp/upstream/protocol";

/** Who holds a session, and where. */
export type Holder = {
  readonly port: number;
  readonly key: string;
  readonly era: "legacy" | "modern";
  readonly tool: string;
  /** How many tools this caller may see. */
  readonly tools: number;
};

/** What became of a session. `faults` is empty when everything was as it has to be. */
export type Held = {
  readonly faults: string[];
  /** Entries named in answers to calls. */
  readonly entries: string[];
  readonly tookMs: number[];
  /** Times that the standing stream was ended in good order and opened again. */
  reopened: number;
  /** What was announced on the standing stream, by method. */
  readonly heard: string[];
};

export type HeldSession = {
  readonly held: Held;
  /** Greets, opens the standing stream where there is one, and lists the tools. */
  readonly open: () => Promise<void>;
  /** One call that carries a word of its own, which has to come back. */
  readonly call: () => Promise<void>;
  readonly isListening: () => boolean;
  readonly close: () => void;
};

type Reply = { readonly headers: IncomingMessage["headers"]; readonly message: Message };
type CallResult = { isError?: boolean; content?: { text?: string }[]; _meta?: Record<string, unknown> };
type Message = { id?: unknown; result?: Record<string, unknown>; error?: unknown };

const LEGACY_VERSION = "2025-11-25";
const CLIENT = { name: "held-session", version: "1" };
const ENVELOPE = { [META.protocolVersion]: MODERN_VERSION, [META.clientInfo]: CLIENT, [META.clientCapabilities]: {} };
/** Long, because what is looked for here is a call that is lost, not one that waits on a busy machine. */
const PATIENCE_MS = 60_000;

/** Asks in the words of the client's era, and notes every answer that is not its own. */
function makeAsker({ port, key, era }: Holder, held: Held, own: string) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let session: string | undefined;
  let lastId = 0;

  function headersFor(method: string, name?: string): Record<string, string> {
    const modern = { "mcp-protocol-version": MODERN_VERSION, "mcp-method": method };
    return {
      authorization: `Bearer ${key}`,
      ...(era === "modern" ? modern : { "mcp-protocol-version": LEGACY_VERSION }),
      ...(era === "modern" && name !== undefined ? { "mcp-name": name } : {}),
      ...(session === undefined ? {} : { "mcp-session-id": session }),
    };
  }

  async function ask(method: string, params: Record<string, unknown> = {}): Promise<Reply> {
    lastId += 1;
    const id = `${own}:${lastId}`;
    const sent = era === "modern" ? { ...params, _meta: ENVELOPE } : params;
    const name = typeof params["name"] === "string" ? params["name"] : undefined;
    const body = JSON.stringify({ jsonrpc: "2.0", id, method, params: sent });
    const reply = await post(agent, port, headersFor(method, name), body);
    if (reply.message.id !== id) held.faults.push(`${method}: asked as ${id}, answered to ${String(reply.message.id)}`);
    if (reply.message.result === undefined) held.faults.push(`${method}: ${JSON.stringify(reply.message.error)}`);
    return reply;
  }

  async function greet(): Promise<void> {
    if (era === "modern") return void (await ask("server/discover"));
    const params = { protocolVersion: LEGACY_VERSION, capabilities: {}, clientInfo: CLIENT };
    const { headers } = await ask("initialize", params);
    session = String(headers["mcp-session-id"]);
  }

  return { ask, greet, headersFor, close: () => agent.destroy() };
}

/** A client as agents have one: a connection of its own for calls and, in the sessions era, a stream that stays open. */
export function makeHeldSession(holder: Holder): HeldSession {
  const held: Held = { faults: [], entries: [], tookMs: [], reopened: 0, heard: [] };
  const own = newId();
  const { ask, greet, headersFor, close } = makeAsker(holder, held, own);
  let closed = false;
  let stream: { readonly cut: () => void } | null = null;

  /** Resolves once the stream stands. It is opened again when it ends in good order, as clients do. */
  function listen(): Promise<void> {
    return new Promise((resolve) => {
      stream = openStream(holder.port, headersFor("GET"), {
        onOpen: resolve,
        onMessage: (method) => held.heard.push(method),
        onEnd: (fault) => {
          stream = null;
          resolve();
          if (closed) return;
          if (fault !== null) return void held.faults.push(`the stream broke: ${fault}`);
          held.reopened += 1;
          void listen();
        },
      });
    });
  }

  async function open(): Promise<void> {
    await greet();
    if (holder.era === "legacy") await listen();
    const { message } = await ask("tools/list");
    const listed = message.result?.["tools"];
    const count = Array.isArray(listed) ? listed.length : 0;
    if (count !== holder.tools) held.faults.push(`tools/list: ${count} tools instead of ${holder.tools}`);
  }

  async function call(): Promise<void> {
    const args = { session: own, word: newId() };
    const since = performance.now();
    const { message } = await ask("tools/call", { name: holder.tool, arguments: args });
    held.tookMs.push(performance.now() - since);
    const { isError, content, _meta } = (message.result ?? {}) as CallResult;
    const text = content?.[0]?.text;
    if (isError === true || text !== JSON.stringify(args)) held.faults.push(`tools/call: ${text ?? "no content"}`);
    else held.entries.push(String(_meta?.["dev.countersign/entry"]));
  }

  const orFault = (what: Promise<void>): Promise<void> =>
    what.catch((cause: unknown) => void held.faults.push(String(cause)));
  return {
    held,
    open: () => orFault(open()),
    call: () => orFault(call()),
    isListening: () => stream !== null,
    close() {
      closed = true;
      stream?.cut();
      close();
    },
  };
}

function post(agent: Agent, port: number, headers: Record<string, string>, body: string): Promise<Reply> {
  const media = { "content-type": "application/json", accept: "application/json, text/event-stream" };
  const options = { host: "127.0.0.1", port, path: "/api/mcp", method: "POST", agent, timeout: PATIENCE_MS };
  return new Promise((resolve, reject) => {
    const asked = request({ ...options, headers: { ...media, ...headers } }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      answer.on("error", reject).on("end", () => {
        try {
          resolve({ headers: answer.headers, message: readMessage(text) });
        } catch {
          reject(new Error(`status ${answer.statusCode}: ${text.slice(0, 200)}`));
        }
      });
    });
    asked.on("error", reject).on("timeout", () => asked.destroy(new Error("no answer in a minute")));
    asked.end(body);
  });
}

/** Plain JSON, or the last event of a stream. */
function readMessage(text: string): Message {
  const event = text.lastIndexOf("\ndata: ");
  return JSON.parse(event === -1 ? text : text.slice(event + "\ndata: ".length)) as Message;
}

type StreamEvents = {
  readonly onOpen: () => void;
  readonly onMessage: (method: string) => void;
  /** Null when the server ended it in good order. */
  readonly onEnd: (fault: string | null) => void;
};

function openStream(port: number, headers: Record<string, string>, events: StreamEvents): { readonly cut: () => void } {
  let over = false;
  const end = (fault: string | null) => {
    if (over) return;
    over = true;
    events.onEnd(fault);
  };
  const options = { host: "127.0.0.1", port, path: "/api/mcp", method: "GET", agent: false } as const;
  const asked = request({ ...options, headers: { accept: "text/event-stream", ...headers } }, (answer) => {
    if (answer.statusCode !== 200) {
      answer.resume();
      return end(`status ${answer.statusCode}`);
    }
    events.onOpen();
    answer.setEncoding("utf8").on("data", (chunk: string) => {
      for (const [, method] of chunk.matchAll(/"method":"([^"]+)"/g))
        if (method !== undefined) events.onMessage(method);
    });
    answer.on("error", (cause) => end(cause.message)).on("end", () => end(null));
  });
  asked.on("error", (cause) => end(cause.message));
  asked.end();
  return { cut: () => void asked.destroy() };
}
