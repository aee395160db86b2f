import type { DoorAnswer, Text, Write } from "@/lib/mcp/door/door-request";
import { eventText, keepAlive, writeText } from "@/lib/mcp/door/progress-stream";
import { bytesOf } from "@/lib/mcp/door/send-answer";

/** What is ready waits for the rest as long as it is no larger than this; then it is sent as a stream. */
const MAX_KEPT_BYTES = 1024 * 1024;

type Chunk = Parameters<Write>[0];

/** Collects the answers to several messages: an array, or a stream on which each is told as soon as it is ready. */
export class JointAnswer {
  /** Resolves when the answer has to become a stream. */
  readonly spoke: Promise<void>;
  /** By the place of their messages; what is on the stream is not here. */
  readonly #ready: (Text | undefined)[] = [];
  /** What was said on a stream that nobody writes yet. */
  readonly #early: Chunk[] = [];
  readonly #takesStreams: boolean;
  #keptBytes = 0;
  #write: Write | null = null;
  /** Makes it a stream. */
  speak: () => void = () => undefined;

  constructor(takesStreams: boolean) {
    this.#takesStreams = takesStreams;
    this.spoke = new Promise((resolve) => {
      this.speak = resolve;
    });
  }

  /** Bytes of answers that are ready and wait for the others. */
  get keptBytes(): number {
    return this.#keptBytes;
  }

  /** Takes what one message was answered with. Resolves when all of it is known. */
  async take(place: number, { body }: DoorAnswer): Promise<void> {
    if (body === null) return;
    if (typeof body === "function") {
      this.speak();
      return body((chunk) => this.#say(chunk));
    }
    if (this.#write !== null) return writeText(this.#write, eventText(body));
    this.#ready[place] = body;
    this.#keptBytes += bytesOf(body);
    if (this.#takesStreams && this.#keptBytes > MAX_KEPT_BYTES) this.speak();
  }

  /** All answers in the order of their messages, as the text of an array. */
  toText(): Text {
    // Those that were answered with nothing leave holes.
    const texts = this.#ready.filter((text) => text !== undefined);
    if (texts.every((text) => typeof text === "string")) return `[${texts.join(",")}]`;
    return texts
      .flatMap((text, nth) => [Buffer.from(nth === 0 ? "[" : ","), ...piecesOf(text)])
      .concat(Buffer.from("]"));
  }

  /** Tells what is ready, and from then on whatever comes, until `work` is over. */
  async tell(to: Write, work: Promise<void>): Promise<void> {
    for (const text of this.#ready.splice(0)) if (text !== undefined) writeText(to, eventText(text));
    for (const chunk of this.#early.splice(0)) to(chunk);
    this.#write = to;
    const rest = keepAlive(to);
    try {
      await work;
    } finally {
      rest();
    }
  }

  #say(chunk: Chunk): void {
    if (this.#write === null) this.#early.push(chunk);
    else this.#write(chunk);
  }
}

const piecesOf = (text: Text): readonly Uint8Array<ArrayBuffer>[] =>
  typeof text === "string" ? [Buffer.from(text)] : text;
