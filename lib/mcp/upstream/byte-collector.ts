/** Puts together what arrives in pieces. */
export type ByteCollector = {
  readonly size: () => number;
  readonly add: (piece: Buffer) => void;
  /** Everything so far as one, and begins anew. */
  readonly take: () => Buffer;
};

const FIRST_ROOM = 64 * 1_024;
const NOTHING = Buffer.alloc(0);

/**
 * Copies into room that doubles, so that memory and time follow the number of bytes, whatever the number of pieces: a
 * server that sends single bytes would otherwise cost a hundred times what it sends. A single piece is not copied.
 */
export function makeByteCollector(): ByteCollector {
  let held: Buffer = NOTHING;
  let size = 0;
  let isOwn = false;

  function makeRoom(wanted: number): void {
    if (isOwn && held.length >= wanted) return;
    const larger = Buffer.allocUnsafe(Math.max(FIRST_ROOM, wanted, held.length * 2));
    held.copy(larger, 0, 0, size);
    held = larger;
    isOwn = true;
  }

  return {
    size: () => size,
    add(piece) {
      if (size === 0) {
        held = piece;
        isOwn = false;
      } else {
        makeRoom(size + piece.length);
        piece.copy(held, size);
      }
      size += piece.length;
    },
    take() {
      const whole = held.subarray(0, size);
      held = NOTHING;
      size = 0;
      isOwn = false;
      return whole;
    },
  };
}
