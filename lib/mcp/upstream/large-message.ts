import { type JsonEvents, JsonFault, JsonScanner } from "@/lib/core/json-scanner";
import { START_BYTES } from "@/lib/core/text-digest";
import { Addresses, isAddressList } from "@/lib/mcp/upstream/addresses";
import { parseMessage } from "@/lib/mcp/upstream/messages";
import { type Json, type LargeResult, MAX_ANSWER_DEPTH } from "@/lib/mcp/upstream/protocol";

/** A message that was read. Where it is a large result, `message` has its small members only. */
export type ReadMessage = { readonly message: Json; readonly large: LargeResult | undefined };

/** What is looked at before others have a turn. */
const BYTES_AT_ONCE = 128 * 1_024;
/** What may become objects at once where it is no plain result. */
const MAX_WHOLE = { bytes: 1_024 * 1_024, values: 100_000 };
/** A member up to this is made an object, as long as all of them together are no more than the other. */
const MAX_SMALL_BYTES = 1_024;
const MAX_HEAD_BYTES = 64 * 1_024;
/** What the gateway itself looks at, or replaces: made an object whatever its size. */
const HEAD = new Set(["_meta", "resultType", "isError", "requestState", "ttlMs", "cacheScope"]);
const MAX_MEMBERS = 10_000;
const ASKS = "input_required";
const [OPEN_BRACE, OPEN_BRACKET] = [0x7b, 0x5b];
const COMMA = Buffer.from(",");
/** Depths of containers: members of the message, and of its result. */
const [MESSAGE, RESULT] = [1, 2];

/** A member of an object, by where it stands: its name, its value, and what comes behind. */
type Member = { readonly name: string; readonly from: number; readonly valueAt: number; readonly end: number };

/**
 * Reads a message of a server that is too large to be read at once: a step at a time, and without making objects of what is
 * only passed on. Works in the bytes themselves, which are its own from now on. A name that stands twice is refused: it would
 * be one thing to us and another to the client.
 */
export class LargeMessage {
  private readonly bytes: Buffer<ArrayBuffer>;
  private readonly largeBytes: number;
  private readonly scanner: JsonScanner;
  private readonly members: Members;
  /** A result below `largeBytes` is no large one. */
  constructor(bytes: Buffer<ArrayBuffer>, largeBytes: number) {
    this.bytes = bytes;
    this.largeBytes = largeBytes;
    this.members = new Members(bytes);
    this.scanner = new JsonScanner(bytes, MAX_ANSWER_DEPTH, this.members);
  }

  /** True when all was read. Throws a JsonFault. */
  step(): boolean {
    return this.scanner.step(BYTES_AT_ONCE);
  }

  /** What was read, when all was. */
  async message(): Promise<ReadMessage> {
    const result = this.largeResult();
    if (result === null) return { message: this.whole(), large: undefined };
    const { head, large } = inParts(this.members.ofResult);
    const id = this.members.ofMessage.get("id");
    if (id !== undefined && sizeOf(id) > MAX_SMALL_BYTES) throw new JsonFault("has too large an id");
    const known = [...(id === undefined ? [] : [this.text(id)]), `"result":{${head.map(this.text).join(",")}}`];
    const sha256 = await sha256Aside(this.bytes.subarray(result.valueAt, result.end));
    const start = { ...result, end: Math.min(result.end, result.valueAt + START_BYTES) };
    return {
      message: JSON.parse(`{${known.join(",")}}`) as Json,
      large: {
        pieces: large.flatMap(({ from, end }, at) => [...(at === 0 ? [] : [COMMA]), this.bytes.subarray(from, end)]),
        uris: {
          contents: within(large, this.members.contents),
          links: within(large, this.members.links),
        },
        digest: { bytes: sizeOf(result), sha256, start: this.valueText(start) },
        values: this.scanner.values,
      },
    };
  }

  /** The result where it is large, and nothing but passed on. */
  private largeResult(): Member | null {
    const { ofMessage, ofResult } = this.members;
    const result = ofMessage.get("result");
    if (result === undefined || this.bytes[result.valueAt] !== OPEN_BRACE || sizeOf(result) < this.largeBytes)
      return null;
    if (ofMessage.has("error") || ofMessage.has("method")) return null;
    const type = ofResult.get("resultType");
    // Read, not compared: it may be written with escapes, and what it asks of the client has to be looked at.
    const isPlain =
      type === undefined || (sizeOf(type) <= MAX_SMALL_BYTES && JSON.parse(this.valueText(type)) !== ASKS);
    return isPlain ? result : null;
  }

  private whole(): Json {
    const { length, values } = this.scanner;
    if (length > MAX_WHOLE.bytes || values > MAX_WHOLE.values)
      throw new JsonFault(`is larger than ${MAX_WHOLE.bytes} bytes or ${MAX_WHOLE.values} values, and no plain result`);
    return parseMessage(this.bytes.subarray(0, length));
  }

  private readonly text = ({ from, end }: Member): string => this.bytes.toString("utf8", from, end);
  private readonly valueText = ({ valueAt, end }: Member): string => this.bytes.toString("utf8", valueAt, end);
}

/** Done by another thread of the platform's: it takes longer than all the rest. */
const sha256Aside = async (bytes: Buffer<ArrayBuffer>): Promise<string> =>
  Buffer.from(await crypto.subtle.digest("SHA-256", bytes)).toString("hex");

const sizeOf = ({ valueAt, end }: Member): number => end - valueAt;

/** Where these places are in the large members as they are passed on, one behind the other; those in no such member are left out. */
function within(large: readonly Member[], places: readonly number[]): number[] {
  const found: number[] = [];
  let [next, before] = [0, 0];
  for (const { from, end } of large) {
    for (let at = places[next]; at !== undefined && at < end; at = places[next]) {
      if (at >= from) found.push(before + at - from);
      next += 1;
    }
    before += end - from + COMMA.length;
  }
  return found;
}

function inParts(members: ReadonlyMap<string, Member>): { readonly head: Member[]; readonly large: Member[] } {
  const [head, large]: [Member[], Member[]] = [[], []];
  let bytes = 0;
  for (const member of members.values()) {
    const size = member.end - member.from;
    const isSmall = HEAD.has(member.name) || (size <= MAX_SMALL_BYTES && bytes + size <= MAX_HEAD_BYTES);
    (isSmall ? head : large).push(member);
    if (isSmall) bytes += size;
  }
  if (bytes > MAX_HEAD_BYTES) throw new JsonFault(`has more than ${MAX_HEAD_BYTES} bytes beside its content`);
  return { head, large };
}

/** Notes where the members of a message and of its result stand, and the addresses in that. */
class Members implements JsonEvents {
  readonly ofMessage = new Map<string, Member>();
  readonly ofResult = new Map<string, Member>();
  /** Where addresses begin: of contents that were read, and of links in the content of an answer. */
  readonly contents: number[] = [];
  readonly links: number[] = [];
  maxDepth = RESULT;
  private readonly bytes: Buffer;
  private readonly open: Record<number, Omit<Member, "end"> | undefined> = {};
  private addresses: Addresses | null = null;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  onName(depth: number, from: number, end: number): void {
    if (depth > RESULT) return void this.addresses?.onName(depth, from, end);
    const all = this.at(depth);
    if (all === null) return;
    if (end - from > MAX_SMALL_BYTES) throw new JsonFault(`has a name of more than ${MAX_SMALL_BYTES} bytes`);
    const name = JSON.parse(this.bytes.toString("utf8", from, end)) as string;
    if (all.has(name)) throw new JsonFault(`names ${name.slice(0, 80)} twice`);
    if (all.size === MAX_MEMBERS) throw new JsonFault(`has more than ${MAX_MEMBERS} members`);
    this.open[depth] = { name, from, valueAt: 0 };
  }

  onValue(depth: number, at: number, byte: number): void {
    if (depth > RESULT) return void this.addresses?.onValue(depth, at, byte);
    const open = this.at(depth) === null ? undefined : this.open[depth];
    if (open === undefined) return;
    this.open[depth] = { ...open, valueAt: at };
    if (depth !== RESULT || byte !== OPEN_BRACKET || !isAddressList(open.name)) return;
    this.addresses = new Addresses(this.bytes, open.name, open.name === "contents" ? this.contents : this.links);
    this.maxDepth = this.addresses.maxDepth;
  }

  onEnd(depth: number, end: number): void {
    if (depth > RESULT) return void this.addresses?.onEnd(depth, end);
    const all = this.at(depth);
    const open = this.open[depth];
    if (all === null || open === undefined) return;
    all.set(open.name, { ...open, end });
    this.open[depth] = undefined;
    if (depth !== RESULT) return;
    this.addresses = null;
    this.maxDepth = RESULT;
  }

  /** Where members at this depth belong; null where nobody asks for them. */
  private at(depth: number): Map<string, Member> | null {
    if (depth === MESSAGE) return this.ofMessage;
    return depth === RESULT && this.open[MESSAGE]?.name === "result" ? this.ofResult : null;
  }
}
