import { littleByLittle } from "@/lib/core/little-by-little";
import type { LargeResult } from "@/lib/mcp/upstream/protocol";

/** What is copied before others may have a turn: there may be hundreds of thousands of places in ten megabytes. */
const AT_ONCE = { places: 256, bytes: 128 * 1_024 };

/**
 * A large result with this before its addresses, copied little by little: those of links, or of its contents as well. Callers
 * take turns by `owner`.
 */
export async function prefixUris(
  large: LargeResult,
  which: "links" | "all",
  prefix: string,
  owner: object,
): Promise<LargeResult> {
  const lists = which === "links" ? [large.uris.links] : [large.uris.contents, large.uris.links];
  if (lists.every(({ length }) => length === 0)) return large;
  const splice = new Splice(large.pieces, lists, prefix);
  await littleByLittle({ owner, isWanted: () => true, step: () => splice.step() });
  return { ...large, pieces: [splice.made], uris: { contents: [], links: [] } };
}

/** Puts the same bytes in at many places. */
class Splice {
  readonly made: Buffer<ArrayBuffer>;
  private readonly pieces: readonly Uint8Array[];
  /** Each in order; positions are those in all pieces, one behind the other. */
  private readonly lists: readonly (readonly number[])[];
  private readonly next: number[];
  private readonly added: Buffer;
  private index = 0;
  private pieceFrom = 0;
  private from = 0;
  private to = 0;

  constructor(pieces: readonly Uint8Array[], lists: readonly (readonly number[])[], prefix: string) {
    // It stands in a string of JSON.
    this.added = Buffer.from(JSON.stringify(prefix).slice(1, -1));
    this.pieces = pieces;
    this.lists = lists;
    this.next = lists.map(() => 0);
    const size = pieces.reduce((sum, { length }) => sum + length, 0);
    const places = lists.reduce((sum, { length }) => sum + length, 0);
    this.made = Buffer.allocUnsafe(size + places * this.added.length);
  }

  /** True when all was copied. */
  step(): boolean {
    const until = this.from + AT_ONCE.bytes;
    for (let places = 0; places < AT_ONCE.places && this.from < until; places += 1) {
      const piece = this.pieces[this.index];
      if (piece === undefined) return true;
      this.copy(piece, until);
    }
    return false;
  }

  /** Up to the next place, the end of the piece, or what may be copied at once. */
  private copy(piece: Uint8Array, until: number): void {
    const { pieceFrom, from } = this;
    const list = this.nearest();
    const place = this.placeIn(list);
    const pieceEnd = pieceFrom + piece.length;
    const end = Math.min(place, pieceEnd, until);
    this.put(piece.subarray(from - pieceFrom, end - pieceFrom));
    this.from = end;
    if (end === place) {
      this.put(this.added);
      this.next[list] = (this.next[list] ?? 0) + 1;
    } else if (end === pieceEnd) {
      this.index += 1;
      this.pieceFrom = end;
    }
  }

  private put(bytes: Uint8Array): void {
    this.made.set(bytes, this.to);
    this.to += bytes.length;
  }

  /** The list whose next place comes first. */
  private nearest(): number {
    let nearest = 0;
    for (let list = 1; list < this.lists.length; list += 1)
      if (this.placeIn(list) < this.placeIn(nearest)) nearest = list;
    return nearest;
  }

  private placeIn(list: number): number {
    return this.lists[list]?.[this.next[list] ?? 0] ?? Number.POSITIVE_INFINITY;
  }
}
