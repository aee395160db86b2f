/** What a key press asks of the console. */
export type KeyAct =
  | { readonly kind: "palette" }
  | { readonly kind: "help" }
  | { readonly kind: "filter" }
  | { readonly kind: "await-goto" }
  | { readonly kind: "goto"; readonly key: string };

export type KeyPress = {
  readonly key: string;
  readonly ctrlOrMeta: boolean;
  readonly alt: boolean;
  /** The focus is where letters are text. */
  readonly typing: boolean;
};

/** Single keys can be turned off (WCAG 2.1.4); Ctrl/Cmd-K always works. `awaiting`: `g` was pressed just before. */
export function keyAct(press: KeyPress, awaiting: boolean, singleKeys: boolean): KeyAct | null {
  if (press.ctrlOrMeta) return press.key.toLowerCase() === "k" ? { kind: "palette" } : null;
  if (press.typing || press.alt || !singleKeys) return null;
  if (awaiting) return /^[a-z]$/.test(press.key) ? { kind: "goto", key: press.key } : null;
  if (press.key === "?") return { kind: "help" };
  if (press.key === "/") return { kind: "filter" };
  if (press.key === "g") return { kind: "await-goto" };
  return null;
}
