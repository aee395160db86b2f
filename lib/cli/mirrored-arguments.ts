import { paramHeaders } from "@/lib/mcp/upstream/param-headers";
import { isRecord, type Json, META } from "@/lib/mcp/upstream/protocol";

const HEADER_MISMATCH = -32020;

type Ask = (message: Json, signal: AbortSignal) => Promise<string>;

/** Headers that repeat arguments of a stateless client's calls, which over standard streams nobody sends. */
export type MirroredArguments = {
  readonly headersOf: (message: Json) => Record<string, string>;
  /** Takes a refusal; true when the tool's schema was read again, so that the call is worth another try. */
  readonly learn: (message: Json, refusal: string, signal: AbortSignal) => Promise<boolean>;
};

/** `ask` sends a message to the door and gives the text of its answer. */
export function mirrorArguments(ask: Ask): MirroredArguments {
  /** Input schemas by the name of the tool, as the door listed them last; asked for when first needed. */
  const schemas = new Map<string, Json>();
  return {
    headersOf(message) {
      const call = statelessCall(message);
      return call === null ? {} : paramHeaders(schemas.get(call.name), call.args);
    },
    async learn(message, refusal, signal) {
      const call = statelessCall(message);
      if (call === null || codeIn(refusal) !== HEADER_MISMATCH) return false;
      const listing = { jsonrpc: "2.0", id: "cs-tools", method: "tools/list", params: { _meta: call.meta } };
      schemas.clear();
      for (const { name, inputSchema } of toolsIn(await ask(listing, signal)))
        if (typeof name === "string" && isRecord(inputSchema)) schemas.set(name, inputSchema);
      return schemas.has(call.name);
    },
  };
}

function statelessCall({ method, params }: Json): { name: string; args: unknown; meta: Json } | null {
  if (method !== "tools/call" || !isRecord(params)) return null;
  const { name, arguments: args, _meta: meta } = params;
  return typeof name === "string" && isRecord(meta) && META.protocolVersion in meta ? { name, args, meta } : null;
}

function parsed(text: string): Json {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : {};
  } catch {
    return {};
  }
}

const codeIn = (text: string): unknown => {
  const { error } = parsed(text);
  return isRecord(error) ? error["code"] : null;
};

const toolsIn = (text: string): readonly Json[] => {
  const { result } = parsed(text);
  const tools = isRecord(result) ? result["tools"] : null;
  return Array.isArray(tools) ? tools.filter(isRecord) : [];
};
