import { JsonFault } from "@/lib/core/json-scanner";
import { littleByLittle } from "@/lib/core/little-by-little";
import { broken } from "@/lib/mcp/upstream/faults";
import { LargeMessage, type ReadMessage } from "@/lib/mcp/upstream/large-message";
import { resultOf } from "@/lib/mcp/upstream/messages";
import type { Json, LargeResult, UpstreamAnswer, UpstreamRequest } from "@/lib/mcp/upstream/protocol";

/** From this size on a message is read little by little: at once it would hold up everybody else. */
export const LARGE_BYTES = 256 * 1_024;
/** What a large result may be where objects are made of it at once: a list, or what the console shows. */
const MAX_WHOLE = { bytes: 4 * 1_024 * 1_024, values: 250_000 };

/**
 * Reads a large message little by little. Works in its bytes, which nobody else may use any more. `owner` stands for the
 * server: one that sends many waits for itself. Throws what is wrong with the message.
 */
export async function readLarge(bytes: Uint8Array, owner: object, isWanted: () => boolean): Promise<ReadMessage> {
  const { buffer, byteOffset, byteLength } = bytes;
  const message = new LargeMessage(Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength), LARGE_BYTES);
  try {
    const isRead = await littleByLittle({ owner, isWanted, step: () => message.step() });
    if (!isRead) throw broken("nobody waits for it any more");
    return await message.message();
  } catch (cause) {
    throw cause instanceof JsonFault ? broken(`it ${cause.message}`, cause) : cause;
  }
}

/** The answer to request `id`, as its asker takes it: in parts only where it is passed on. */
export function answerIn(
  { message, large }: ReadMessage,
  id: number,
  { dialogue, passesOn }: Pick<UpstreamRequest, "dialogue" | "passesOn">,
  bytes: number,
): UpstreamAnswer {
  const result = resultOf(message, id, dialogue !== undefined);
  if (large === undefined || passesOn === true) return { result, bytes, large };
  return { result: wholeResult(result, large), bytes, large: undefined };
}

/** All of a result as an object. */
export function wholeResult(result: Json, large: LargeResult | undefined): Json {
  if (large === undefined) return result;
  if (large.values > MAX_WHOLE.values) throw broken(`it is made of more than ${MAX_WHOLE.values} values`);
  if (large.digest.bytes > MAX_WHOLE.bytes)
    throw broken(`it is larger than ${MAX_WHOLE.bytes} bytes, more than is read at once`);
  return { ...result, ...(JSON.parse(`{${Buffer.concat(large.pieces).toString("utf8")}}`) as Json) };
}
