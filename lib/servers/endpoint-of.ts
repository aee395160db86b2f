import type { ServerEndpoint } from "@/lib/servers/schemas";

type Columns = {
  readonly transport: string;
  readonly url: string | null;
  readonly command: string | null;
  readonly args: string[];
  readonly env: Record<string, string>;
};

/** Where the columns of a row say that the server is. */
export function endpointOf({ transport, url, command, args, env }: Columns): ServerEndpoint {
  return transport === "http" || transport === "sse" || transport === "websocket"
    ? { transport, url: url ?? "" }
    : { transport: "stdio", command: command ?? "", args, env };
}
