/** A place inside this console to go to after signing in; anything that could lead elsewhere becomes the start page. */
export function safePath(text: string | null | undefined): string {
  if (text === null || text === undefined || !/^\/(?![/\\])/.test(text)) return "/";
  const base = "http://console.invalid";
  // Browsers drop tabs and newlines inside addresses, so what matters is how a URL parser reads it.
  return URL.canParse(text, base) && new URL(text, base).origin === base ? text : "/";
}
