import { AppError } from "@/lib/core/errors";

export type JsonLimits = {
  readonly maxBytes: number;
  readonly maxDepth: number;
  /** Values at all depths: a few megabytes of tiny ones keep the loop busy for a second. */
  readonly maxValues?: number;
};

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COMMA = 0x2c;
const SPACE = 0x20;

/** Index of the quote that ends the string which begins before `from`. */
function endOfString(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return at;
}

/** True when a byte stands more than `most` times in a text; asks the platform, not a loop of ours. */
function standsMoreThan(bytes: Uint8Array, byte: number, most: number): boolean {
  let at = bytes.indexOf(byte);
  for (let count = 1; at !== -1; count += 1) {
    if (count > most) return true;
    at = bytes.indexOf(byte, at + 1);
  }
  return false;
}

/** True when arrays and objects nest deeper than `maxDepth`. Looks at bytes only, so it costs nothing to refuse. */
export function nestsDeeperThan(bytes: Uint8Array, maxDepth: number): boolean {
  // Most bodies do not even open that many: then nobody has to know which of them stand in strings.
  const half = Math.floor(maxDepth / 2);
  if (!standsMoreThan(bytes, OPEN_BRACE, half) && !standsMoreThan(bytes, OPEN_BRACKET, half)) return false;
  let depth = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === QUOTE) at = endOfString(bytes, at + 1);
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth += 1;
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth -= 1;
    if (depth > maxDepth) return true;
  }
  return false;
}

/** True when there are more values than `maxValues`, containers and their members counted. For JSON; of what is none it says nothing. */
export function hasMoreValuesThan(bytes: Uint8Array, maxValues: number): boolean {
  // A value and what parts it from the next take two bytes at least.
  if (bytes.length < 2 * maxValues) return false;
  let [values, isFirst] = [1, false];
  for (let at = 0; at < bytes.length && values <= maxValues; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte <= SPACE) continue;
    if (isFirst && byte !== CLOSE_BRACE && byte !== CLOSE_BRACKET) values += 1;
    isFirst = byte === OPEN_BRACE || byte === OPEN_BRACKET;
    if (byte === QUOTE) at = endOfString(bytes, at + 1);
    else if (byte === COMMA) values += 1;
  }
  return values > maxValues;
}

/** Refuses what is too large, too deep, or too many values. For those who parse on their own afterwards. */
export function guardJson(bytes: Uint8Array, limits: JsonLimits): void {
  if (bytes.length > limits.maxBytes) throw tooLarge(limits.maxBytes);
  // JSON.parse takes any depth, but JSON.stringify overflows at ten thousand: the value would pass here and fail where it is recorded.
  if (nestsDeeperThan(bytes, limits.maxDepth)) {
    throw new AppError("invalid_input", `The JSON nests deeper than ${limits.maxDepth} levels.`, {
      issues: [{ path: "", rule: `must nest at most ${limits.maxDepth} levels deep` }],
    });
  }
  const { maxValues } = limits;
  if (maxValues === undefined || !hasMoreValuesThan(bytes, maxValues)) return;
  throw new AppError("invalid_input", `The JSON is made of more than ${maxValues} values.`, {
    issues: [{ path: "", rule: `must be made of at most ${maxValues} values` }],
  });
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Parses JSON after checking its size and depth. Throws payload_too_large or invalid_input. */
export function parseJsonGuarded(bytes: Uint8Array, limits: JsonLimits): unknown {
  guardJson(bytes, limits);
  try {
    return JSON.parse(utf8.decode(bytes));
  } catch {
    throw new AppError("invalid_input", "The body is not valid JSON.", {
      issues: [{ path: "", rule: "must be valid JSON in UTF-8" }],
    });
  }
}

/** Reads a body and stops as soon as it is larger than allowed, whatever `content-length` said. */
export async function readBounded(request: Request, maxBytes: number): Promise<Uint8Array> {
  const stated = Number(request.headers.get("content-length") ?? "0");
  if (stated > maxBytes) throw tooLarge(maxBytes);
  if (request.body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = request.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.byteLength;
    if (size > maxBytes) {
      await reader.cancel();
      throw tooLarge(maxBytes);
    }
    chunks.push(value);
  }
  return joined(chunks, size);
}

function joined(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const [first] = chunks;
  if (chunks.length === 1 && first !== undefined) return first;
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}

const tooLarge = (maxBytes: number) =>
  new AppError("payload_too_large", `The body is larger than ${maxBytes} bytes.`, { maxBytes });
