import type { CatalogCost } from "@/lib/profiles/schemas";
import { SEARCH_DEFINITIONS } from "@/lib/profiles/search-definitions";

/** Rough, and said to be: English JSON is near four bytes to a token with the tokenizers in use. */
const BYTES_PER_TOKEN = 4;

const cost = (toolCount: number, bytes: number): CatalogCost => ({
  toolCount,
  bytes,
  estimatedTokens: Math.ceil(bytes / BYTES_PER_TOKEN),
});

/** What a list of definitions of these sizes costs: brackets and commas included. */
export function listCost(sizes: readonly number[]): CatalogCost {
  const bytes = sizes.reduce((sum, size) => sum + size, 0) + Math.max(0, sizes.length - 1) + 2;
  return cost(sizes.length, bytes);
}

export const SEARCH_COST: CatalogCost = cost(
  SEARCH_DEFINITIONS.length,
  Buffer.byteLength(JSON.stringify(SEARCH_DEFINITIONS)),
);
