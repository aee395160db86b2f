import { toAppError } from "@/lib/core/errors";
import { type Dialogue, isRecord, type Json } from "@/lib/mcp/upstream/protocol";

/** What a server may ask the client behind a call. Anything else is refused in the client's name. */
const MAY_ASK: ReadonlySet<string> = new Set(["sampling/createMessage", "elicitation/create", "roots/list"]);

const refusal = (id: unknown, message: string, code = -32601): Json => ({ id, error: { code, message } });

/** Takes what a server says or asks while a request runs; `reply` sends an answer back. */
export function hear(dialogue: Dialogue | undefined, reply: (message: Json) => void): (message: Json) => void {
  return ({ id, method, params }) => {
    const given = isRecord(params) ? params : {};
    if (id === undefined) {
      if (method === "notifications/message") dialogue?.onLog?.(given);
      return;
    }
    if (method === "ping") return reply({ id, result: {} });
    if (typeof method !== "string" || !MAY_ASK.has(method) || dialogue?.onRequest === undefined) {
      return reply(refusal(id, "The client behind this call cannot be asked that."));
    }
    dialogue.onRequest(method, given).then(
      (result) => reply({ id, result }),
      (cause: unknown) => reply(refusal(id, toAppError(cause).message, -32603)),
    );
  };
}
