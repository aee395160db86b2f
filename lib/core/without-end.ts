/** The text without any number of this character at its end. As a regular expression it would take time that grows with the square of the text. */
export function withoutEnd(text: string, character: string): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === character) end -= 1;
  return text.slice(0, end);
}
