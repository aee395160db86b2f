import { createSecretKey, type KeyObject } from "node:crypto";
import { z } from "zod";
import { bus } from "@/lib/core/bus";
import { logger } from "@/lib/core/logger";
import { openBytes, sealBytes } from "@/lib/core/sealed-bytes";
import { singleton } from "@/lib/core/singleton";
import { secretFor } from "@/lib/db/process-secrets";
import type { Json } from "@/lib/mcp/upstream/protocol";

/**
 * What two processes say to each other about a held call: the one whose caller came back for it, and the one that holds it. All
 * of it is sealed under a key that only our processes have, because others may read Redis, and write to it. A turn is one
 * return of the client; its id is made for it.
 */
const toHolder = z.discriminatedUnion("say", [
  /** Is it with you, and this owner's? */
  z.object({ say: z.literal("find"), turn: z.uuid(), owner: z.string() }),
  /** Go on with what the client brought, which lies in so many pieces. */
  z.object({
    say: z.literal("go"),
    turn: z.uuid(),
    owner: z.string(),
    pieces: z.int().min(1),
    hears: z.object({ logs: z.boolean(), progress: z.boolean() }),
    callId: z.uuid().optional(),
  }),
  /** How does it stand? Said every few seconds, so it also says that somebody still waits. */
  z.object({ say: z.literal("look"), turn: z.uuid() }),
  /** Nobody waits any more. */
  z.object({ say: z.literal("leave"), turn: z.uuid(), cause: z.enum(["timeout", "cancelled", "killed"]) }),
]);
const toCaller = z.discriminatedUnion("say", [
  z.object({ say: z.literal("here") }),
  z.object({ say: z.literal("going") }),
  z.object({
    say: z.literal("progress"),
    progress: z.object({ progress: z.number(), total: z.number().optional(), message: z.string().optional() }),
  }),
  z.object({ say: z.literal("log"), params: z.record(z.string(), z.unknown()) }),
  /** What the server said lies in so many pieces. */
  z.object({ say: z.literal("done"), pieces: z.int().min(1) }),
]);
export type ToHolder = z.output<typeof toHolder>;
export type ToCaller = z.output<typeof toCaller>;

/** How often a caller's process asks how a call stands, and after which silence either gives the other one up. */
export const [LOOK_MS, SILENT_MS] = [2_000, 10_000];
/** What is told on the way (logs, progress) and is larger than this is not told to another process. */
export const MAX_WORD_CHARS = 1_024 * 1_024;

/** Known to all processes of the gateway, and to nobody else. */
export const carryingKey = (): KeyObject =>
  singleton("gateway.carrying-key", () => createSecretKey(secretFor("held-calls")));

/** Null where the word is too large to be carried. */
function sealed(name: string, word: Json): string | null {
  const text = sealBytes(carryingKey(), name, Buffer.from(JSON.stringify(word))).toString("base64");
  if (text.length <= MAX_WORD_CHARS) return text;
  logger.warn({ chars: text.length, say: word["say"] }, "a word of a held call was too large for another process");
  return null;
}

/** What does not open is not ours. */
function opened<T>(schema: z.ZodType<T>, name: string, text: string): T | null {
  try {
    const value: unknown = JSON.parse(openBytes(carryingKey(), name, Buffer.from(text, "base64")).toString("utf8"));
    return schema.safeParse(value).data ?? null;
  } catch {
    return null;
  }
}

const holderOf = (call: string): string => `to the holder of ${call}`;
const callerIn = (turn: string): string => `to the caller in ${turn}`;

/** Says something to whichever process holds the call. */
export function tellHolder(call: string, word: ToHolder): void {
  const text = sealed(holderOf(call), word);
  if (text !== null) bus.publish({ topic: "held_call.asked", call, sealed: text });
}

/** Hears what is said to the holder of any call; `isMine` spares opening what is for others. */
export function hearAsHolder(isMine: (call: string) => boolean, hear: (call: string, word: ToHolder) => void): void {
  bus.subscribe((message) => {
    if (message.topic !== "held_call.asked" || !isMine(message.call)) return;
    const word = opened(toHolder, holderOf(message.call), message.sealed);
    if (word !== null) hear(message.call, word);
  });
}

/** Says something to the process whose caller waits in this turn. */
export function tellCaller(turn: string, word: ToCaller): void {
  const text = sealed(callerIn(turn), word);
  if (text !== null) bus.publish({ topic: "held_call.told", turn, sealed: text });
}

const listeners = (): Map<string, (word: ToCaller) => void> =>
  singleton("gateway.held-call-turns", () => {
    const all = new Map<string, (word: ToCaller) => void>();
    bus.subscribe((message) => {
      if (message.topic !== "held_call.told") return;
      const hear = all.get(message.turn);
      if (hear === undefined) return;
      const word = opened(toCaller, callerIn(message.turn), message.sealed);
      if (word !== null) hear(word);
    });
    return all;
  });

/** Hears what the holder says in this turn. Returns the function that ends it. */
export function hearAsCaller(turn: string, hear: (word: ToCaller) => void): () => void {
  listeners().set(turn, hear);
  return () => listeners().delete(turn);
}
