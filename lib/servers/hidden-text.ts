/** What is no letter and yet belongs to honest text. None of it may come twice in a row, or any message would fit in. */
const HONEST: readonly RegExp[] = [
  /[\t\n\r]/,
  // Signs that Unicode counts as formats, and that are seen.
  /[\u0600-\u0605\u06DD\u070F\u0890\u0891\u08E2\u{110BD}\u{110CD}]/u,
  // The look of a picture, a key such as 1️⃣, and pictures that are joined into one, with or without a colour of skin.
  /(?<=\p{Extended_Pictographic})[\uFE0E\uFE0F]/u,
  /(?<=[\d#*])\uFE0F(?=\u20E3)/u,
  /(?<=\p{Extended_Pictographic}[\u{1F3FB}-\u{1F3FF}\uFE0F]?)\u200D(?=\p{Extended_Pictographic})/u,
  // Persian and its neighbours part letters with the non-joiner, and the scripts of India shape them with both joiners.
  /(?<=[\p{scx=Arab}\p{scx=Syrc}])\u200C/u,
  /(?<=[\p{scx=Deva}\p{scx=Beng}\p{scx=Guru}\p{scx=Gujr}\p{scx=Orya}\p{scx=Taml}\p{scx=Telu}\p{scx=Knda}\p{scx=Mlym}\p{scx=Sinh}])[\u200C\u200D]/u,
];

/** Characters that a model reads and a person does not see: tags, text direction, zero width, selectors, fillers, controls. */
const HIDDEN = new RegExp(
  `(?!${HONEST.map(({ source }) => source).join("|")})[\\p{Default_Ignorable_Code_Point}\\p{Cf}\\p{Cc}\\u2028\\u2029]`,
  "gu",
);

export type HiddenKind =
  | "tag characters"
  | "variation selectors"
  | "text direction controls"
  | "zero-width characters"
  | "control characters";

const KINDS: readonly (readonly [HiddenKind, RegExp])[] = [
  ["variation selectors", /\p{Variation_Selector}/u],
  ["tag characters", /[\u{E0000}-\u{E0FFF}]/u],
  ["text direction controls", /\p{Bidi_Control}/u],
  ["control characters", /[\p{Cc}\u2028\u2029]/u],
];

const codeOf = (character: string): number => character.codePointAt(0) ?? 0;
const kindOf = (character: string): HiddenKind =>
  KINDS.find(([, pattern]) => pattern.test(character))?.[0] ?? "zero-width characters";

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
