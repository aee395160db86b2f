import { singleton } from "@/lib/core/singleton";
import type { CacheView } from "@/lib/limits/schemas";

type ReadCaches = (tenantId: string) => ReadonlyMap<string, CacheView>;

const held = singleton("limits.caches", () => ({ read: null as ReadCaches | null }));

const EMPTY: CacheView = { hits: 0, misses: 0, entries: 0, bytes: 0 };

/** The gateway owns the kept answers and tells here how to read their figures. */
export function provideCacheViews(read: ReadCaches): void {
  held.read = read;
}

/** How often answers of a server were given again by this process. */
export const cacheView = (tenantId: string, serverSlug: string): CacheView =>
  held.read?.(tenantId).get(serverSlug) ?? EMPTY;
