const DASH = 0x2d;
const TWO_TO_32 = 2 ** 32;
/** Longer texts are quicker through the runtime's own encoder. */
const SHORT = 64;

/** Writes PostgreSQL's binary forms one after the other into one growing buffer, made to be used again. */
export class WireWriter {
  buffer: Buffer;
  at = 0;

  constructor(size: number) {
    this.buffer = Buffer.allocUnsafe(size);
  }

  written(): Buffer {
    return this.buffer.subarray(0, this.at);
  }

  reserve(room: number): void {
    if (this.at + room <= this.buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.at + room, this.buffer.length * 2));
    this.buffer.copy(larger, 0, 0, this.at);
    this.buffer = larger;
  }

  /** Leaves room for a length in bytes, to be filled by `close`. */
  open(): number {
    this.reserve(4);
    this.at += 4;
    return this.at;
  }

  /** `more` is what the length counts besides what was written since. */
  close(start: number, more = 0): void {
    this.put32(start - 4, this.at - start + more);
  }

  byte(value: number): void {
    this.reserve(1);
    this.buffer[this.at] = value;
    this.at += 1;
  }

  int16(value: number): void {
    this.reserve(2);
    this.buffer[this.at] = value >>> 8;
    this.buffer[this.at + 1] = value;
    this.at += 2;
  }

  int32(value: number): void {
    this.reserve(4);
    this.put32(this.at, value);
    this.at += 4;
  }

  int64(value: number): void {
    const high = Math.floor(value / TWO_TO_32);
    this.int32(high);
    this.int32(value - high * TWO_TO_32);
  }

  float8(value: number): void {
    this.reserve(8);
    this.at = this.buffer.writeDoubleBE(value, this.at);
  }

  uuid(text: string): void {
    this.reserve(16);
    for (let from = 0; from < 36; from += 2) {
      if (text.charCodeAt(from) === DASH) from += 1;
      this.buffer[this.at] = (digit(text.charCodeAt(from)) << 4) | digit(text.charCodeAt(from + 1));
      this.at += 1;
    }
  }

  hex(text: string): void {
    this.reserve(text.length >> 1);
    this.at += this.buffer.write(text, this.at, "hex");
  }

  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.buffer.set(bytes, this.at);
    this.at += bytes.length;
  }

  /** UTF-8 without length or end. */
  utf8(text: string): void {
    // A UTF-16 unit is at most three bytes.
    this.reserve(text.length * 3);
    if (text.length > SHORT || !this.short(text)) this.at += this.buffer.write(text, this.at);
  }

  /** The same for text that is known to be ASCII. */
  ascii(text: string): void {
    this.reserve(text.length);
    this.at += this.buffer.write(text, this.at, "latin1");
  }

  /** Copies as long as it meets ASCII; false, and nothing written, when it meets anything else. */
  private short(text: string): boolean {
    for (let at = 0; at < text.length; at += 1) {
      const code = text.charCodeAt(at);
      if (code > 0x7f) return false;
      this.buffer[this.at + at] = code;
    }
    this.at += text.length;
    return true;
  }

  private put32(at: number, value: number): void {
    this.buffer[at] = value >>> 24;
    this.buffer[at + 1] = value >>> 16;
    this.buffer[at + 2] = value >>> 8;
    this.buffer[at + 3] = value;
  }
}

/** The value of a hexadecimal digit; ids are checked where they come in. */
const digit = (code: number): number => (code < 0x3a ? code - 0x30 : (code | 0x20) - 0x57);
