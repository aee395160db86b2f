import type { IncomingMessage } from "node:http";
import { WebSocket } from "ws";

/** A reply of any shape: tests look into it. */
// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of any shape
type Reply = any;

/** A socket at the agents' door that sends whatever it is told to, and keeps what it hears. */
export type RawSocket = {
  readonly socket: WebSocket;
  readonly heard: readonly Reply[];
  readonly send: (message: unknown) => void;
  /** Sends a request and waits for its answer. */
  readonly ask: (method: string, params?: Readonly<Record<string, unknown>>, id?: number) => Promise<Reply>;
  /** The first message from now or before that fits. */
  readonly hear: (fits: (message: Reply) => boolean) => Promise<Reply>;
  /** The code that the socket was closed with. */
  readonly closed: Promise<number>;
};

type Options = {
  readonly headers?: Readonly<Record<string, string>>;
  readonly protocol?: string | null;
  readonly autoPong?: boolean;
};

const connect = (url: string, { headers = {}, protocol = "mcp", autoPong = true }: Options): WebSocket =>
  new WebSocket(url.replace(/^http/, "ws"), protocol === null ? [] : [protocol], { headers, autoPong });

/** Opens a socket, and resolves when the handshake is through. */
export async function openRawSocket(url: string, options: Options = {}): Promise<RawSocket> {
  const socket = connect(url, options);
  const heard: Reply[] = [];
  const waiting = new Set<() => void>();
  socket.on("message", (data) => {
    heard.push(JSON.parse(String(data)));
    for (const look of [...waiting]) look();
  });
  const closed = new Promise<number>((resolve) => socket.once("close", resolve));
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  socket.on("error", () => undefined);
  const hear = (fits: (message: Reply) => boolean) =>
    new Promise<Reply>((resolve, reject) => {
      const look = () => {
        const found = heard.find(fits);
        if (found === undefined) return;
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      void closed.then((code) => reject(new Error(`The socket was closed with ${code} before that was heard.`)));
      look();
    });
  const send = (message: unknown) => socket.send(JSON.stringify(message));
  let lastId = 0;
  return {
    socket,
    heard,
    send,
    hear,
    closed,
    ask(method, params = {}, id = ++lastId) {
      send({ jsonrpc: "2.0", id, method, params });
      return hear((message) => message.id === id && !("method" in message));
    },
  };
}

export type Refusal = { readonly status: number; readonly headers: IncomingMessage["headers"]; readonly body: Reply };

/** What a handshake that must fail is answered with. */
export function refusedHandshake(url: string, options: Options = {}): Promise<Refusal> {
  const socket = connect(url, options);
  return new Promise((resolve, reject) => {
    socket.once("error", () => undefined);
    socket.once("open", () => {
      socket.terminate();
      reject(new Error("The handshake was accepted."));
    });
    socket.once("unexpected-response", (_request, response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => {
        const isJson = response.headers["content-type"]?.startsWith("application/json") === true;
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: isJson ? JSON.parse(text) : text,
        });
      });
    });
  });
}
