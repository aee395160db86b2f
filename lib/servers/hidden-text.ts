/**
 * Characters that a model reads and a person does not see: tags, text direction, zero width, fillers, controls.
 * A joiner between two pictures, and the selectors that choose a picture's look, are how emoji are written.
 */
const HIDDEN =
  /[\u{E0000}-\u{E007F}]|[\u{E0100}-\u{E01EF}]|[\u202A-\u202E\u2066-\u2069\u200E\u200F\u061C]|[\u200B\u200C\u2060-\u2064\u206A-\u206F\uFEFF\u00AD\u180E\u115F\u1160\u3164\uFFA0]|\u034F|(?<!\p{Extended_Pictographic}\uFE0F?)\u200D|(?![\t\n\r])\p{Cc}/gu;

export type HiddenKind = "tag characters" | "text direction controls" | "zero-width characters" | "control characters";

const codeOf = (character: string): number => character.codePointAt(0) ?? 0;

function kindOf(character: string): HiddenKind {
  const code = codeOf(character);
  if (code >= 0xe0000) return "tag characters";
  if ((code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069)) return "text direction controls";
  if (code === 0x200e || code === 0x200f || code === 0x061c) return "text direction controls";
  return code < 0xa0 ? "control characters" : "zero-width characters";
}

/** How many hidden characters there are, by kind. */
export function hiddenIn(text: string): ReadonlyMap<HiddenKind, number> {
  const found = new Map<HiddenKind, number>();
  for (const [character] of text.matchAll(HIDDEN)) {
    const kind = kindOf(character);
    found.set(kind, (found.get(kind) ?? 0) + 1);
  }
  return found;
}

/** The text with every hidden character spelt out, so that it can be seen and cannot act. */
export const visibleText = (text: string): string =>
  text.replace(HIDDEN, (character) => `‹U+${codeOf(character).toString(16).toUpperCase().padStart(4, "0")}›`);
