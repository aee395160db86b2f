/** Characters that mean something to a shell. Commands run without one, so their presence outside quotes is a mistake. */
const SHELL_ONLY = /[|&;<>`()]/;

export class UnreadableCommand extends Error {}

type State = { word: string | null; quote: "'" | '"' | null };

function plainCharacter(state: State, character: string, words: string[]): void {
  if (/\s/.test(character)) {
    if (state.word !== null) words.push(state.word);
    state.word = null;
    return;
  }
  if (character === "'" || character === '"') {
    state.quote = character;
    state.word ??= "";
    return;
  }
  if (SHELL_ONLY.test(character)) {
    throw new UnreadableCommand(
      `"${character}" needs a shell, and commands run without one; put it in quotes if it is part of an argument`,
    );
  }
  state.word = (state.word ?? "") + character;
}

/** True where a backslash stands for the next character: anywhere but in single quotes; in double quotes only before `"` and `\`. */
function escapes(quote: State["quote"], next: string): boolean {
  if (quote === "'") return false;
  return quote === null ? next !== "" : next === '"' || next === "\\";
}

/** Splits a command line into words: quotes and backslashes as people write them, nothing expanded, nothing run. */
export function splitCommand(line: string): readonly string[] {
  const words: string[] = [];
  const state: State = { word: null, quote: null };
  for (let at = 0; at < line.length; at += 1) {
    const character = line.charAt(at);
    if (character === "\\" && escapes(state.quote, line.charAt(at + 1))) {
      at += 1;
      state.word = (state.word ?? "") + line.charAt(at);
    } else if (state.quote === null) {
      plainCharacter(state, character, words);
    } else if (character === state.quote) {
      state.quote = null;
    } else {
      state.word = (state.word ?? "") + character;
    }
  }
  if (state.quote !== null) throw new UnreadableCommand(`a ${state.quote} is opened and never closed`);
  if (state.word !== null) words.push(state.word);
  return words;
}
