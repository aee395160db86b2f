/** What is searched of a tool. */
export type SearchableTool = { readonly name: string; readonly title?: string; readonly description?: string };

export type ToolIndex = {
  /** The best matches, best first; empty where no word of the query is in any tool. */
  readonly search: (query: string, limit: number) => readonly number[];
};

/** Saturation of repeated words, and how much longer texts are held back: the usual values of BM25. */
const K1 = 1.2;
const B = 0.75;
const WEIGHT = { name: 4, title: 2, description: 1 } as const;
/** A word of the query that only begins a word of the tool says less. */
const PREFIX_WEIGHT = 0.4;
const MIN_PREFIX = 3;
const MAX_QUERY_WORDS = 32;

/** `readFiles`, `read-file` and `read_file` are read and file; a plural is its singular. */
export const wordsOf = (text: string): readonly string[] =>
  text
    // People write e-mail and email for the same thing.
    .replace(/\b(\p{L})-(\p{L}+)/gu, "$1$2 $2")
    .replace(/([\p{Ll}\p{N}])(\p{Lu})/gu, "$1 $2")
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== "")
    .map((word) => (word.length > 3 && word.endsWith("s") && !word.endsWith("ss") ? word.slice(0, -1) : word));

type Posting = { readonly tool: number; readonly weight: number };

/** Builds the index once for a list; searching looks at the words of the query only. */
export function makeToolIndex(tools: readonly SearchableTool[]): ToolIndex {
  const postings = new Map<string, Posting[]>();
  const lengths = tools.map((tool, index) => addTool(postings, tool, index));
  const average = lengths.reduce((sum, length) => sum + length, 0) / Math.max(1, lengths.length);
  const vocabulary = [...postings.keys()].sort();

  function add(scores: Map<number, number>, word: string, share: number): void {
    const found = postings.get(word) ?? [];
    const rarity = Math.log(1 + (tools.length - found.length + 0.5) / (found.length + 0.5));
    for (const { tool, weight } of found) {
      const length = 1 - B + (B * (lengths[tool] ?? 0)) / average;
      const score = (share * rarity * weight * (K1 + 1)) / (weight + K1 * length);
      scores.set(tool, (scores.get(tool) ?? 0) + score);
    }
  }

  return {
    search(query, limit) {
      const scores = new Map<number, number>();
      for (const word of new Set(wordsOf(query).slice(0, MAX_QUERY_WORDS))) {
        add(scores, word, 1);
        if (word.length < MIN_PREFIX) continue;
        for (const longer of beginningWith(vocabulary, word)) add(scores, longer, PREFIX_WEIGHT);
      }
      const nameOf = (index: number): string => tools[index]?.name ?? "";
      return [...scores]
        .sort(([a, left], [b, right]) => right - left || (nameOf(a) < nameOf(b) ? -1 : 1))
        .slice(0, limit)
        .map(([index]) => index);
    },
  };
}

function addTool(postings: Map<string, Posting[]>, tool: SearchableTool, index: number): number {
  const weights = new Map<string, number>();
  let length = 0;
  for (const field of ["name", "title", "description"] as const) {
    for (const word of wordsOf(tool[field] ?? "")) {
      weights.set(word, (weights.get(word) ?? 0) + WEIGHT[field]);
      length += 1;
    }
  }
  for (const [word, weight] of weights) {
    const known = postings.get(word);
    if (known === undefined) postings.set(word, [{ tool: index, weight }]);
    else known.push({ tool: index, weight });
  }
  return length;
}

/** Words of the sorted vocabulary that begin with this one and are longer. */
function beginningWith(vocabulary: readonly string[], word: string): readonly string[] {
  let [low, high] = [0, vocabulary.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((vocabulary[middle] ?? "") < word) low = middle + 1;
    else high = middle;
  }
  const found: string[] = [];
  for (let at = low; (vocabulary[at] ?? "").startsWith(word); at += 1) {
    const longer = vocabulary[at] ?? "";
    if (longer !== word) found.push(longer);
  }
  return found;
}
