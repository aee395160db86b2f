/** Puts together what arrives in pieces. */
export type ByteCollector = {
  readonly size: () => number;
  readonly add: (piece: Buffer) => void;
  /** Makes room for all that will come, so that nothing is copied twice. */
  readonly makeRoom: (size: number) => void;
  /** Everything so far as one, and begins anew. */
  readonly take: () => Buffer;
};

/** A piece of this size is worth keeping as it came. */
const LARGE = 16 * 1_024;
const BLOCK = 64 * 1_024;

/**
 * Small pieces are copied into blocks, so that memory and time follow the number of bytes, whatever the number of pieces: a
 * server that sends single bytes would otherwise cost a hundred times what it sends. A single piece is never copied.
 */
export function makeByteCollector(): ByteCollector {
  let blocks: Buffer[] = [];
  let [size, used] = [0, 0];
  /** The last block while there is room in it. */
  let open: Buffer | null = null;
  let isRoomy = false;

  function close(): void {
    if (open !== null) blocks.push(open.subarray(0, used));
    open = null;
  }

  return {
    size: () => size,
    add(piece) {
      if (!isRoomy && (size === 0 || piece.length >= LARGE)) {
        close();
        blocks.push(piece);
      } else {
        if (open === null || used + piece.length > open.length) {
          close();
          [open, used] = [Buffer.allocUnsafe(BLOCK), 0];
        }
        used += piece.copy(open, used);
      }
      size += piece.length;
    },
    makeRoom(expected) {
      close();
      const all = Buffer.allocUnsafeSlow(expected);
      used = 0;
      for (const block of blocks) used += block.copy(all, used);
      [blocks, open, isRoomy] = [[], all, true];
    },
    take() {
      close();
      const [first = Buffer.alloc(0), second] = blocks;
      const whole = second === undefined ? first : Buffer.concat(blocks, size);
      blocks = [];
      size = 0;
      isRoomy = false;
      return whole;
    },
  };
}
