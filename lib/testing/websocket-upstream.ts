import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import { makeSessionServer, tellUpdated } from "@/lib/testing/conformance-upstream";
import { WsTransport } from "@/lib/testing/ws-transport";

export type SocketUpstream = {
  readonly url: string;
  /** Handshakes that came, by their headers. */
  readonly handshakes: readonly IncomingMessage["headers"][];
  /** The sockets that are open now. */
  readonly sockets: ReadonlySet<WebSocket>;
  readonly close: () => Promise<void>;
};

type Options = {
  /** Serves a socket; as the official SDK's server does unless told. */
  readonly serve?: (socket: WebSocket) => void;
  /** Refuses the handshake with this status. */
  readonly refuse?: number;
  readonly port?: number;
};

/** A real MCP server over WebSocket: the official SDK's, on a transport of our own, one for each socket. */
export async function startSocketUpstream({ serve, refuse, port = 0 }: Options = {}): Promise<SocketUpstream> {
  const http = createServer();
  const wss = new WebSocketServer({ noServer: true, handleProtocols: () => "mcp" });
  const handshakes: IncomingMessage["headers"][] = [];
  http.on("upgrade", (request, socket, head) => {
    handshakes.push(request.headers);
    if (refuse !== undefined) {
      const location = refuse >= 300 && refuse < 400 ? "Location: ws://127.0.0.1:9/\r\n" : "";
      return void socket.end(`HTTP/1.1 ${refuse} Refused\r\n${location}Content-Length: 0\r\n\r\n`);
    }
    wss.handleUpgrade(request, socket, head, (opened) => {
      opened.on("error", () => undefined);
      if (serve === undefined) serveOfficially(opened);
      else serve(opened);
    });
  });
  await new Promise<void>((resolve) => http.listen(port, "127.0.0.1", resolve));
  return {
    url: `ws://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`,
    handshakes,
    sockets: wss.clients,
    close: () =>
      new Promise<void>((resolve) => {
        for (const socket of wss.clients) socket.terminate();
        http.close(() => resolve());
        http.closeAllConnections();
      }),
  };
}

function serveOfficially(socket: WebSocket): void {
  const server = makeSessionServer({
    tools: () => void server.sendToolListChanged(),
    prompts: () => void server.sendPromptListChanged(),
    resource: (uri) => void tellUpdated(server, uri),
  });
  void server.connect(new WsTransport(socket));
}
