/** Takes comments and trailing commas out of JSON as editors write it; what stands inside strings stays. */
export function plainJson(text: string): string {
  const tokens = /"(?:[^"\\]|\\.)*"|\/\/[^\n]*|\/\*[\s\S]*?\*\/|,(?=(?:\s|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*[}\]])/g;
  return text.replace(tokens, (token) => (token.startsWith('"') ? token : ""));
}
