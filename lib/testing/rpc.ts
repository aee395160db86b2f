import { META, MODERN_VERSION } from "@/lib/mcp/upstream/protocol";

export type RpcReply = {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of any shape
  readonly body: any;
};

export type RpcOptions = {
  readonly era?: "modern" | "legacy";
  readonly key?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly id?: number | string | null;
  readonly meta?: Readonly<Record<string, unknown>>;
  readonly signal?: AbortSignal;
};

const ENVELOPE = {
  [META.protocolVersion]: MODERN_VERSION,
  [META.clientInfo]: { name: "test", version: "1" },
  [META.clientCapabilities]: {},
};

/** One JSON-RPC message as a well-behaved client of either era would send it. */
export async function rpc(
  url: string,
  method: string,
  params: Readonly<Record<string, unknown>> = {},
  options: RpcOptions = {},
): Promise<RpcReply> {
  const { era = "modern", key = null, id = 1, meta } = options;
  const name = params["name"];
  const modern = {
    "mcp-protocol-version": MODERN_VERSION,
    "mcp-method": method,
    ...(typeof name === "string" ? { "mcp-name": name } : {}),
  };
  const _meta = era === "modern" ? { ...ENVELOPE, ...meta } : meta;
  const response = await fetch(url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      ...(era === "modern" ? modern : { "mcp-protocol-version": "2025-11-25" }),
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      ...options.headers,
    },
    body: JSON.stringify({
      jsonrpc: "2.0",
      ...(id === null ? {} : { id }),
      method,
      params: _meta === undefined ? params : { ...params, _meta },
    }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: parsed(text) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
