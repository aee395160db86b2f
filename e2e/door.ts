import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { baseUrl } from "./fixtures";

export type CallAnswer = {
  readonly isError?: boolean;
  readonly content?: readonly { readonly type: string; readonly text?: string }[];
  readonly _meta?: Record<string, unknown>;
};

type Where = { readonly base?: string; readonly path?: string };

/** An agent at a door (the joint one unless told), with the official client; closes its connection afterwards. */
export async function asAgent<T>(
  key: string,
  work: (client: Client) => Promise<T>,
  { base = baseUrl(), path = "/api/mcp" }: Where = {},
): Promise<T> {
  const client = new Client({ name: "journey", version: "1" });
  await client.connect(
    new StreamableHTTPClientTransport(new URL(path, base), {
      requestInit: { headers: { authorization: `Bearer ${key}` } },
    }),
  );
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

export const callTool = async (client: Client, name: string, args: Record<string, unknown>): Promise<CallAnswer> =>
  (await client.callTool({ name, arguments: args })) as CallAnswer;

export const entryOf = (answer: CallAnswer): string => String(answer._meta?.["dev.countersign/entry"]);

export const toolNames = async (client: Client): Promise<string[]> =>
  (await client.listTools()).tools.map((tool) => tool.name).sort();
