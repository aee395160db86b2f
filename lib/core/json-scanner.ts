import { isUtf8 } from "node:buffer";

/** Told while a text is scanned. Depths count the containers around; positions are those of the compact text. */
export type JsonEvents = {
  /** Nothing deeper than this is told. */
  readonly maxDepth: number;
  /** A name of an object, from its opening quote to before `end`. */
  readonly onName: (depth: number, from: number, end: number) => void;
  /** A value begins with this byte. */
  readonly onValue: (depth: number, at: number, byte: number) => void;
  /** A value has ended before `end`. */
  readonly onEnd: (depth: number, end: number) => void;
};

/** What is wrong with a text; the message says what it is or is not, as in "it is not valid JSON". */
export class JsonFault extends Error {}

const [OBJECT, ARRAY] = [1, 2];
/** What may come next. */
const [VALUE, VALUE_OR_END, NAME, NAME_OR_END, COLON, COMMA_OR_END, NOTHING] = [0, 1, 2, 3, 4, 5, 6];
/** What kind of string is open. */
const [NONE, OF_VALUE, OF_NAME] = [0, 1, 2];

const [TAB, LINE_FEED, CARRIAGE_RETURN, SPACE] = [0x09, 0x0a, 0x0d, 0x20];
const [QUOTE, BACKSLASH, COMMA, COLON_SIGN] = [0x22, 0x5c, 0x2c, 0x3a];
const [OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET] = [0x7b, 0x7d, 0x5b, 0x5d];
const [ZERO, NINE, MINUS, PLUS, POINT] = [0x30, 0x39, 0x2d, 0x2b, 0x2e];
const [LOWER_E, UPPER_E, LOWER_U] = [0x65, 0x45, 0x75];
/** `"\/bfnrt` */
const ESCAPED = new Set([QUOTE, BACKSLASH, 0x2f, 0x62, 0x66, 0x6e, 0x72, 0x74]);
const LITERALS = ["true", "false", "null"].map((word) => Buffer.from(word));
const BYTE_ORDER_MARK = Buffer.from("\uFEFF");

const isSpace = (byte: number): boolean =>
  byte === SPACE || byte === LINE_FEED || byte === CARRIAGE_RETURN || byte === TAB;
const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= ZERO && byte <= NINE;
const isHex = (byte: number | undefined): boolean =>
  isDigit(byte) || (byte !== undefined && (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66);

const invalid = (): JsonFault => new JsonFault("is not valid JSON");

/**
 * Checks a JSON text (RFC 8259) a little at a time and takes the space between its tokens out, in place. It makes nothing of
 * the text: no objects, no strings, so that even a text of ten megabytes costs nothing but a look at each byte.
 */
export class JsonScanner {
  /** How many values there were so far. */
  values = 0;
  /** How long the compact text is so far; it stands at the beginning of the bytes. */
  length = 0;
  private readonly bytes: Buffer;
  private readonly events: JsonEvents;
  private readonly containers: Uint8Array;
  private at = 0;
  private checked = 0;
  private depth = 0;
  private expected = VALUE;
  private open = NONE;
  private nameFrom = 0;

  /** The bytes are the scanner's own from now on. Nothing may nest deeper than `maxDepth`. */
  constructor(bytes: Buffer, maxDepth: number, events: JsonEvents) {
    this.bytes = bytes;
    this.events = events;
    this.containers = new Uint8Array(maxDepth);
    if (bytes.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK)) this.at = BYTE_ORDER_MARK.length;
  }

  /** Looks at about so many bytes more; true when that were all. Throws a JsonFault. */
  step(count: number): boolean {
    const end = this.checkEncoding(Math.min(this.bytes.length, this.at + count));
    while (this.at < end) {
      if (this.open === NONE) this.takeToken(this.bytes[this.at] as number);
      else this.takeString(end);
    }
    if (this.at < this.bytes.length) return false;
    if (this.expected !== NOTHING || this.open !== NONE) throw invalid();
    return true;
  }

  /**
   * Checks up to there, and on to the end of a character that is cut; returns how far. Nothing beyond text that is plain ASCII
   * is moved before it was checked: moved, it would stand in the way of what is checked next.
   */
  private checkEncoding(wanted: number): number {
    let end = wanted;
    // A character has at most three bytes behind its first.
    for (
      let ahead = 0;
      ahead < 3 && end < this.bytes.length && ((this.bytes[end] as number) & 0xc0) === 0x80;
      ahead += 1
    )
      end += 1;
    if (end <= this.checked) return end;
    if (!isUtf8(this.bytes.subarray(this.checked, end))) throw new JsonFault("is not UTF-8");
    this.checked = end;
    return end;
  }

  private takeToken(byte: number): void {
    if (isSpace(byte)) {
      this.at += 1;
      return;
    }
    const { expected } = this;
    if (expected === COMMA_OR_END) this.takeEnd(byte);
    else if (expected === COLON) this.takeColon(byte);
    else if (expected === NAME_OR_END && byte === CLOSE_BRACE) this.close(OBJECT);
    else if (expected === VALUE_OR_END && byte === CLOSE_BRACKET) this.close(ARRAY);
    else if (expected === NAME || expected === NAME_OR_END) this.takeName(byte);
    else if (expected === VALUE || expected === VALUE_OR_END) this.takeValue(byte);
    else throw invalid();
  }

  private takeColon(byte: number): void {
    if (byte !== COLON_SIGN) throw invalid();
    this.expected = VALUE;
    this.put(byte);
  }

  private takeEnd(byte: number): void {
    const container = this.containers[this.depth - 1];
    if (byte === COMMA) {
      this.expected = container === OBJECT ? NAME : VALUE;
      this.put(byte);
    } else if (byte === CLOSE_BRACE) this.close(OBJECT);
    else if (byte === CLOSE_BRACKET) this.close(ARRAY);
    else throw invalid();
  }

  private takeName(byte: number): void {
    if (byte !== QUOTE) throw invalid();
    this.open = OF_NAME;
    this.nameFrom = this.length;
    this.put(byte);
  }

  private takeValue(byte: number): void {
    this.values += 1;
    if (this.depth <= this.events.maxDepth) this.events.onValue(this.depth, this.length, byte);
    if (byte === QUOTE) {
      this.open = OF_VALUE;
      this.put(byte);
    } else if (byte === OPEN_BRACE) this.enter(OBJECT, NAME_OR_END);
    else if (byte === OPEN_BRACKET) this.enter(ARRAY, VALUE_OR_END);
    else {
      this.keep(byte === MINUS || isDigit(byte) ? this.endOfNumber() : this.endOfLiteral());
      this.endValue();
    }
  }

  private enter(container: number, expected: number): void {
    if (this.depth === this.containers.length)
      throw new JsonFault(`nests deeper than ${this.containers.length} levels`);
    this.containers[this.depth] = container;
    this.depth += 1;
    this.expected = expected;
    this.put(this.bytes[this.at] as number);
  }

  private close(container: number): void {
    if (this.containers[this.depth - 1] !== container) throw invalid();
    this.put(this.bytes[this.at] as number);
    this.depth -= 1;
    this.endValue();
  }

  private endValue(): void {
    this.expected = this.depth === 0 ? NOTHING : COMMA_OR_END;
    if (this.depth <= this.events.maxDepth) this.events.onEnd(this.depth, this.length);
  }

  private takeString(end: number): void {
    const { bytes } = this;
    let at = this.at;
    while (at < end) {
      const byte = bytes[at] as number;
      if (byte === QUOTE) {
        this.keep(at + 1);
        this.endString();
        return;
      }
      if (byte < SPACE) throw invalid();
      at += byte === BACKSLASH ? this.escapeAt(at) : 1;
    }
    this.keep(at);
  }

  private endString(): void {
    const isName = this.open === OF_NAME;
    this.open = NONE;
    if (!isName) {
      this.endValue();
      return;
    }
    this.expected = COLON;
    if (this.depth <= this.events.maxDepth) this.events.onName(this.depth, this.nameFrom, this.length);
  }

  /** How long the escape is that begins here. */
  private escapeAt(at: number): number {
    const { bytes } = this;
    const byte = bytes[at + 1];
    if (byte !== undefined && ESCAPED.has(byte)) return 2;
    const isCode = isHex(bytes[at + 2]) && isHex(bytes[at + 3]) && isHex(bytes[at + 4]) && isHex(bytes[at + 5]);
    if (byte !== LOWER_U || !isCode) throw invalid();
    return 6;
  }

  private endOfLiteral(): number {
    for (const word of LITERALS) {
      const end = this.at + word.length;
      if (this.bytes.subarray(this.at, end).equals(word)) return end;
    }
    throw invalid();
  }

  private endOfNumber(): number {
    const { bytes } = this;
    let at = this.at + (bytes[this.at] === MINUS ? 1 : 0);
    at = bytes[at] === ZERO ? at + 1 : this.behindDigits(at);
    if (bytes[at] === POINT) at = this.behindDigits(at + 1);
    if (bytes[at] !== LOWER_E && bytes[at] !== UPPER_E) return at;
    const isSigned = bytes[at + 1] === PLUS || bytes[at + 1] === MINUS;
    return this.behindDigits(at + (isSigned ? 2 : 1));
  }

  private behindDigits(from: number): number {
    let at = from;
    while (isDigit(this.bytes[at])) at += 1;
    if (at === from) throw invalid();
    return at;
  }

  private put(byte: number): void {
    this.bytes[this.length] = byte;
    this.length += 1;
    this.at += 1;
  }

  /** Takes over what stands before `end`. */
  private keep(end: number): void {
    if (this.at !== this.length) this.bytes.copyWithin(this.length, this.at, end);
    this.length += end - this.at;
    this.at = end;
  }
}
