import { openBytes, sealBytes } from "@/lib/core/sealed-bytes";
import { askRedis } from "@/lib/db/redis-client";
import { env } from "@/lib/env";
import { carryingKey } from "@/lib/gateway/held-calls/words";

/** What is sealed and sent in one go; more would hold up others, here and in Redis. */
export const PIECE_BYTES = 256 * 1_024;
/** Whoever waits for it fetches it at once. */
const KEEP_MS = 60_000;

/** Says of a piece which one it is, of how many: none can be left out, swapped, or taken from another text. */
const nameOf = (name: string, nth: number, count: number): string => `${name}:${nth}:${count}`;
const keyOf = (name: string, nth: number): string => `${env().REDIS_PREFIX}:held:${name}:${nth}`;

/** Leaves bytes for another process, sealed and for a minute. How many pieces they are; null when Redis did not take them. */
export async function leavePieces(name: string, bytes: Uint8Array): Promise<number | null> {
  const count = Math.max(1, Math.ceil(bytes.length / PIECE_BYTES));
  for (let nth = 0; nth < count; nth += 1) {
    const part = bytes.subarray(nth * PIECE_BYTES, (nth + 1) * PIECE_BYTES);
    const text = sealBytes(carryingKey(), nameOf(name, nth, count), part).toString("base64");
    const left = await askRedis((client) => client.set(keyOf(name, nth), text, { PX: KEEP_MS }));
    if (left === null) return null;
  }
  return count;
}

/** Fetches what another process left, which is gone from Redis then. Null when not all of it is there, or it is not ours. */
export async function fetchPieces(name: string, count: number): Promise<Buffer | null> {
  const parts: Buffer[] = [];
  for (let nth = 0; nth < count; nth += 1) {
    const text = await askRedis((client) => client.getDel(keyOf(name, nth)));
    if (text === null) return null;
    try {
      parts.push(openBytes(carryingKey(), nameOf(name, nth, count), Buffer.from(text, "base64")));
    } catch {
      return null;
    }
  }
  return Buffer.concat(parts);
}
