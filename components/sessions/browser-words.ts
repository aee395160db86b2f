/** The first that fits: most browsers also name those before them. */
const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/\bEdg(?:e|A|iOS)?\//, "Edge"],
  [/\bOPR\//, "Opera"],
  [/\bSamsungBrowser\//, "Samsung Internet"],
  [/\b(?:Firefox|FxiOS)\//, "Firefox"],
  [/\b(?:Chrome|CriOS|HeadlessChrome)\//, "Chrome"],
  [/\bSafari\//, "Safari"],
];

const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/\biPhone\b/, "iPhone"],
  [/\biPad\b/, "iPad"],
  [/\bAndroid\b/, "Android"],
  [/\bWindows\b/, "Windows"],
  [/\bCrOS\b/, "ChromeOS"],
  [/\bMacintosh\b/, "macOS"],
  [/\bLinux\b/, "Linux"],
];

const firstIn = (words: typeof BROWSERS, text: string): string | null =>
  words.find(([pattern]) => pattern.test(text))?.[1] ?? null;

/** What a browser says of itself, in plain words: "Firefox on Windows". */
export function browserWords(userAgent: string | null): string {
  const browser = firstIn(BROWSERS, userAgent ?? "") ?? "Unknown browser";
  const system = firstIn(SYSTEMS, userAgent ?? "");
  return system === null ? browser : `${browser} on ${system}`;
}
