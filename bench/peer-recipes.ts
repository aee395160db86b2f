import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { benchScript, type Part } from "@/bench/children";
import { ECHO } from "@/bench/echo-upstream";
import type { Wire } from "@/bench/lines";

/** Where a peer is to be started, and before what. */
export type Place = {
  /** Folder of its own, with the package installed in it. */
  readonly folder: string;
  readonly port: number;
  readonly upstreamUrl: string;
  readonly delayMs: number;
};

export type Peer = {
  readonly name: string;
  readonly package: string;
  readonly version: string;
  readonly wire: Wire;
  readonly path: string;
  /** Name of the echo tool as the peer offers it. */
  readonly tool: string;
  /** The program under the folder of its packages, and what it is told. */
  readonly start: (place: Place) => {
    readonly args: readonly string[];
    readonly env?: Readonly<Record<string, string>>;
  };
  /** True where the upstream is a program it starts: its time must not be counted as the peer's. */
  readonly ownsUpstream: boolean;
  /** Above this it is not driven, for the reason given in `about`. */
  readonly maxCallers: number;
  /** What it does, and what it does not do, as it was run here. */
  readonly about: string;
};

const stdioPart = (delayMs: number): string =>
  JSON.stringify({ part: "stdio-upstream", delayMs, tools: 1 } satisfies Part);

/** What its documentation shows for a server that is reached otherwise than by starting it. */
const PROXY_OVER_HTTP = `
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { Server } from "@modelcontextprotocol/server";
import { proxyServer, startHTTPServer } from "mcp-proxy";

const [port, url] = process.argv.slice(2);
const client = new Client({ name: "mcp-proxy", version: "1" });
await client.connect(new StreamableHTTPClientTransport(new URL(url)));
const serverCapabilities = client.getServerCapabilities();
const createServer = async () => {
  const server = new Server(client.getServerVersion(), { capabilities: serverCapabilities });
  await proxyServer({ client, server, serverCapabilities });
  return server;
};
await startHTTPServer({ createServer, host: "127.0.0.1", port: Number(port) });
`;

function mcpProxyOverHttp({ folder, port, upstreamUrl }: Place) {
  const script = join(folder, "over-http.mjs");
  writeFileSync(script, PROXY_OVER_HTTP);
  return { args: [script, String(port), upstreamUrl] };
}

function mcpHub({ folder, port, upstreamUrl }: Place) {
  const config = join(folder, "hub.json");
  writeFileSync(config, JSON.stringify({ mcpServers: { echo: { url: upstreamUrl } } }));
  const program = join(folder, "node_modules/mcp-hub/dist/cli.js");
  // It keeps state and a log under the home folder; here that is its own.
  const env = { HOME: folder, XDG_STATE_HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
  return { args: [program, "--port", String(port), "--config", config], env };
}

const MCP_PROXY = { package: "mcp-proxy", version: "6.7.19", path: "/mcp", tool: ECHO, maxCallers: Infinity } as const;

export const PEERS: readonly Peer[] = [
  {
    ...MCP_PROXY,
    name: "mcp-proxy (stdio)",
    wire: "modern",
    ownsUpstream: true,
    start: ({ folder, port, delayMs }) => ({
      args: [
        ...[
          join(folder, "node_modules/mcp-proxy/dist/bin/mcp-proxy.mjs"),
          "--host",
          "127.0.0.1",
          "--port",
          String(port),
        ],
        ...["--", process.execPath, benchScript(), stdioPart(delayMs)],
      ],
    }),
    about:
      "its command, before the same echo as a program it starts. A bridge: no key, no permissions, no limits, no trail.",
  },
  {
    ...MCP_PROXY,
    name: "mcp-proxy (HTTP)",
    wire: "modern",
    ownsUpstream: false,
    start: mcpProxyOverHttp,
    about:
      "its library as documented, before the same echo over streamable HTTP. A bridge: no key, no permissions, no limits, no trail.",
  },
  {
    ...MCP_PROXY,
    name: "mcp-proxy (HTTP, sessions)",
    wire: "session",
    ownsUpstream: false,
    start: mcpProxyOverHttp,
    about: "the same, driven by clients that hold a session each.",
  },
  {
    name: "mcp-hub",
    package: "mcp-hub",
    version: "4.2.1",
    wire: "sse",
    path: "/mcp",
    tool: `echo__${ECHO}`,
    ownsUpstream: false,
    maxCallers: Infinity,
    start: mcpHub,
    about:
      "aggregates servers; its door is HTTP+SSE, so its answers arrive as events. No key, no permissions, no limits, no trail.",
  },
  {
    name: "supergateway",
    package: "supergateway",
    version: "4.0.0",
    wire: "session",
    path: "/mcp",
    tool: ECHO,
    ownsUpstream: true,
    maxCallers: 16,
    start: ({ folder, port, delayMs }) => ({
      args: [
        ...[
          join(folder, "node_modules/supergateway/dist/index.js"),
          "--outputTransport",
          "streamableHttp",
          "--stateful",
        ],
        ...["--port", String(port), "--logLevel", "none"],
        ...["--stdio", `'${process.execPath}' '${benchScript()}' '${stdioPart(delayMs)}'`],
      ],
    }),
    about:
      "a bridge that starts one program per session, so it is not driven above 16 callers. No key, no permissions, no limits, no trail.",
  },
];

/** Gateways known to have been published to npm. The table asks the registry, and says what it answers. */
export const NOT_RUN: readonly string[] = ["@samanhappy/mcphub", "@1mcp/agent", "@reaatech/mcp-gateway-gateway"];
