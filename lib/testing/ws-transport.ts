import type { JSONRPCMessage } from "@modelcontextprotocol/server";
import { WebSocket } from "ws";

/** JSON-RPC over a WebSocket, one message per text frame: what the SDKs of both generations take as a transport. */
export class WsTransport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  // biome-ignore lint/suspicious/noExplicitAny: the two SDKs type their messages apart
  onmessage?: (message: any) => void;
  /** The code that the socket was closed with; null while it is open. */
  closedWith: number | null = null;
  readonly #socket: WebSocket;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", (data, isBinary) => {
      if (!isBinary) this.onmessage?.(JSON.parse(String(data)) as JSONRPCMessage);
    });
    socket.on("error", (error) => this.onerror?.(error));
    socket.on("close", (code) => {
      this.closedWith = code;
      this.onclose?.();
    });
  }

  /** Resolves when the socket is open. */
  start(): Promise<void> {
    const socket = this.#socket;
    if (socket.readyState === WebSocket.OPEN) return Promise.resolve();
    return new Promise((resolve, reject) => {
      socket.once("open", () => resolve());
      socket.once("error", reject);
    });
  }

  send(message: unknown): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.send(JSON.stringify(message), (error) => (error == null ? resolve() : reject(error)));
    });
  }

  async close(): Promise<void> {
    this.#socket.close(1000);
  }
}

/** A client's side of the agents' door at `url` (http or ws), with the key where it belongs. */
export const wsClient = (url: string, key: string, headers: Readonly<Record<string, string>> = {}): WebSocket =>
  new WebSocket(url.replace(/^http/, "ws"), "mcp", { headers: { authorization: `Bearer ${key}`, ...headers } });
