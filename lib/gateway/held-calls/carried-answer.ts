import { z } from "zod";
import { AppError, ERROR_CODES, toAppError } from "@/lib/core/errors";
import { isNotHeld, notHeld } from "@/lib/mcp/upstream/faults";
import { readLarge } from "@/lib/mcp/upstream/large-answers";
import { isRecord, type UpstreamAnswer } from "@/lib/mcp/upstream/protocol";

const head = z.discriminatedUnion("is", [
  z.object({ is: z.literal("answer"), bytes: z.number() }),
  z.object({
    is: z.literal("large"),
    bytes: z.number(),
    digest: z.object({ bytes: z.number(), sha256: z.string(), start: z.string() }),
  }),
  z.object({
    is: z.literal("error"),
    code: z.enum(ERROR_CODES),
    message: z.string(),
    detail: z.record(z.string(), z.unknown()),
    /** The memory that was missing was ours. */
    ours: z.boolean(),
  }),
]);
type Head = z.output<typeof head>;

const LINE_END = 0x0a;

const withHead = (first: Head, ...rest: readonly (string | Uint8Array)[]): Buffer =>
  Buffer.concat(
    [`${JSON.stringify(first)}\n`, ...rest].map((part) => (typeof part === "string" ? Buffer.from(part) : part)),
  );

/** What the server of a held call said, as bytes for another process. A large answer stays the text that it is. */
export function answerToBytes({ result, bytes, large }: UpstreamAnswer): Buffer {
  const text = JSON.stringify(result);
  if (large === undefined) return withHead({ is: "answer", bytes }, text);
  const small = text.slice(1, -1);
  const { digest, pieces } = large;
  return withHead({ is: "large", bytes, digest }, `{"result":{${small}${small === "" ? "" : ","}`, ...pieces, "}}");
}

/** Why there is no answer, as bytes for another process. Its cause is for the log of this one. */
export function failureToBytes(cause: unknown): Buffer {
  const error = toAppError(cause);
  const { code, message, detail } = error;
  return withHead({ is: "error", code, message, detail, ours: isNotHeld(error) });
}

const garbled = () => new AppError("internal", "What another process of the gateway said of this call cannot be read.");

/**
 * The answer in such bytes, which are its own from now on; throws the failure that is in them. A large one is read a little at
 * a time, `owner` standing for its server.
 */
export async function answerFromBytes(bytes: Buffer, owner: object, isWanted: () => boolean): Promise<UpstreamAnswer> {
  const end = bytes.indexOf(LINE_END);
  if (end < 0) throw garbled();
  const first = head.parse(JSON.parse(bytes.toString("utf8", 0, end)));
  const rest = bytes.subarray(end + 1);
  if (first.is === "error") throw first.ours ? notHeld() : new AppError(first.code, first.message, first.detail);
  if (first.is === "answer") return { result: JSON.parse(rest.toString("utf8")), bytes: first.bytes };
  const { message, large } = await readLarge(rest, owner, isWanted);
  const result = message["result"];
  if (large === undefined || !isRecord(result)) throw garbled();
  return { result, bytes: first.bytes, large: { ...large, digest: first.digest } };
}
