import type { JsonEvents } from "@/lib/core/json-scanner";

const QUOTE = 0x22;
const quoted = (word: string): Buffer => Buffer.from(`"${word}"`);
const [URI, TYPE, RESOURCE, CONTENT] = [quoted("uri"), quoted("type"), quoted("resource"), quoted("content")];
const LINK = quoted("resource_link");
const LOWER_H = 0x68;
/** The lists of a result that hold addresses, and how deep the members of the objects lie that do. */
const LISTS = { contents: 4, content: 4, messages: 5 } as const;
export type AddressList = keyof typeof LISTS;
export const isAddressList = (name: string): name is AddressList => Object.hasOwn(LISTS, name);

type Word = Buffer | null;

/**
 * Where addresses stand in the contents of a resource that was read, or in the content of an answer: those of links and of
 * embedded resources there. What an object is may be said behind its address, so that it is decided at the object's end.
 * Names that are needlessly written with escapes are not looked into: an address more that keeps its server's own form.
 */
export class Addresses implements JsonEvents {
  /** Nothing deeper is of interest. */
  readonly maxDepth: number;
  private readonly bytes: Buffer;
  private readonly list: AddressList;
  private readonly found: number[];
  /** Of the members of an object that may have an address. */
  private readonly depth: number;
  /** The member that is open there, and what was found out about the object so far. */
  private member: Word = null;
  private kind: Word = null;
  private isMeant: boolean;
  private isInner = false;
  private valueAt = 0;
  private own: number[] = [];
  private embedded: number[] = [];

  /** Adds to `found` where each begins, behind its quote. */
  constructor(bytes: Buffer, list: AddressList, found: number[]) {
    this.bytes = bytes;
    this.found = found;
    this.list = list;
    this.depth = LISTS[list];
    this.maxDepth = list === "contents" ? this.depth : this.depth + 1;
    this.isMeant = list !== "messages";
  }

  onName(depth: number, from: number, end: number): void {
    if (depth === this.depth) this.member = this.memberAt(from, end);
    else if (depth > this.depth) this.isInner = this.member === RESOURCE && this.is(URI, from, end);
    // The content of a message is an object in it.
    else if (this.list === "messages" && depth === this.depth - 1) this.isMeant = this.is(CONTENT, from, end);
  }

  onValue(depth: number, at: number, byte: number): void {
    if (depth === this.depth) {
      this.valueAt = at;
      this.isInner = false;
      if (this.member === URI && byte === QUOTE) this.own.push(at + 1);
    } else if (depth > this.depth && this.isInner && byte === QUOTE) this.embedded.push(at + 1);
  }

  onEnd(depth: number, end: number): void {
    if (depth > this.depth) this.isInner = false;
    else if (depth === this.depth) {
      if (this.member === TYPE) this.kind = this.kindAt(this.valueAt, end);
      this.member = null;
    } else if (depth === this.depth - 1) this.decide();
  }

  private decide(): void {
    const { own, embedded, kind, list } = this;
    const isRead = list === "contents";
    const meant = isRead || kind === LINK ? own : kind === RESOURCE ? embedded : [];
    for (const at of this.isMeant ? meant : []) if (isRead || !this.isOfTheWeb(at)) this.found.push(at);
    this.kind = null;
    if (own.length > 0) this.own = [];
    if (embedded.length > 0) this.embedded = [];
  }

  /** What clients can fetch from the web by themselves keeps its address. */
  private isOfTheWeb(at: number): boolean {
    const mayBe = ((this.bytes[at] as number) | 0x20) === LOWER_H;
    return mayBe && /^https?:/i.test(this.bytes.toString("latin1", at, at + 6));
  }

  private memberAt(from: number, end: number): Word {
    if (this.is(TYPE, from, end)) return TYPE;
    if (this.is(URI, from, end)) return URI;
    return this.is(RESOURCE, from, end) ? RESOURCE : null;
  }

  private kindAt(from: number, end: number): Word {
    if (this.is(LINK, from, end)) return LINK;
    return this.is(RESOURCE, from, end) ? RESOURCE : null;
  }

  /** Byte by byte: there may be a million, and a call of the platform's for each costs more. */
  private is(word: Buffer, from: number, end: number): boolean {
    if (word.length !== end - from) return false;
    for (let at = 0; at < word.length; at += 1) if (word[at] !== this.bytes[from + at]) return false;
    return true;
  }
}
