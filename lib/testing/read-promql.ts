/** What a query asks for: names with the labels (and values) it picks them by, and the labels it groups by. */
export type ReadQuery = {
  readonly selectors: readonly { readonly metric: string; readonly labels: Readonly<Record<string, string>> }[];
  readonly grouped: readonly string[];
};

const WORDS = new Set(["by", "without", "on", "ignoring", "and", "or", "unless", "bool", "offset", "inf", "nan"]);
const SELECTOR = /([a-zA-Z_:][\w:]*)\s*(\{[^}]*\})?(?!\s*\()/g;
const MATCHER = /([a-zA-Z_]\w*)\s*(?:=~|!~|!=|=)\s*"([^"]*)"/g;

/** Reads a PromQL query, as far as names and labels go. Throws where brackets do not close. */
export function readPromql(query: string): ReadQuery {
  requireClosed(query);
  const grouped: string[] = [];
  const rest = query
    .replace(/\[[^\]]*\]/g, " ")
    .replace(/\b(?:by|without|on|ignoring)\s*\(([^)]*)\)/g, (_, labels: string) => {
      grouped.push(...labels.split(",").map((label) => label.trim()));
      return " ";
    });
  const selectors = [...rest.matchAll(SELECTOR)]
    // A name before a bracket is a function; the pattern then matches all of it but its last letter.
    .filter(([text, metric = ""], at, all) => !isFunction(rest, text, all[at]?.index ?? 0) && !WORDS.has(metric))
    .map(([, metric = "", labels = ""]) => ({
      metric,
      labels: Object.fromEntries([...labels.matchAll(MATCHER)].map(([, name = "", value = ""]) => [name, value])),
    }));
  return { selectors, grouped };
}

const isFunction = (query: string, text: string, at: number): boolean =>
  /^\w*\s*\(/.test(query.slice(at + text.length));

function requireClosed(query: string): void {
  const open: string[] = [];
  for (const letter of query.replace(/"[^"]*"/g, "")) {
    if ("([{".includes(letter)) open.push(letter);
    if (")]}".includes(letter) && "([{".indexOf(open.pop() ?? " ") !== ")]}".indexOf(letter))
      throw new Error(`A bracket of ${query} does not close.`);
  }
  if (open.length > 0) throw new Error(`A bracket of ${query} does not close.`);
}
