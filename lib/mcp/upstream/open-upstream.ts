import { openHttpUpstream } from "@/lib/mcp/upstream/http";
import { type UpstreamPolicy, upstreamPolicy } from "@/lib/mcp/upstream/policy";
import type { Json, Upstream } from "@/lib/mcp/upstream/protocol";
import { openSseUpstream } from "@/lib/mcp/upstream/sse";
import type { StdioCommand } from "@/lib/mcp/upstream/stdio-child";
import { openStdioChildren } from "@/lib/mcp/upstream/stdio-children";
import { openWebSocketUpstream } from "@/lib/mcp/upstream/websocket";

export type Endpoint =
  | { readonly transport: "http" | "sse" | "websocket"; readonly url: string }
  | ({ readonly transport: "stdio" } & StdioCommand);

export type OpenOptions = {
  readonly credential?: Readonly<Record<string, string>> | undefined;
  readonly deadlineMs: number;
  readonly policy?: UpstreamPolicy;
  /** Programs of a stdio server side by side; one unless told, because most of them keep state. */
  readonly maxChildren?: number;
  /** What the clients behind this connection can do when the server asks; nothing where absent. */
  readonly capabilities?: Json;
};

/** A server by whatever transport it is registered with. Refuses, before any I/O, what the policy forbids. */
export function openUpstream(endpoint: Endpoint, options: OpenOptions): Upstream {
  const { credential, deadlineMs, policy = upstreamPolicy(), capabilities = {}, maxChildren = 1 } = options;
  if (endpoint.transport === "stdio") {
    return openStdioChildren({ endpoint, credential, deadlineMs, policy, capabilities }, maxChildren);
  }
  return OPEN[endpoint.transport]({ url: endpoint.url, credential, deadlineMs, policy, capabilities });
}

const OPEN = { http: openHttpUpstream, sse: openSseUpstream, websocket: openWebSocketUpstream } as const;
