import { LRUCache } from "lru-cache";
import { singleton } from "@/lib/core/singleton";
import { ownerOf } from "@/lib/mcp/door/conversation";
import type { Visit } from "@/lib/mcp/door/methods";
import type { Place } from "@/lib/mcp/door/names";

/** Resources that clients of the sessions era follow, as far as this process was asked. */
type Followed = ReadonlyMap<string, Place>;

const MAX_PER_SESSION = 256;

type Kept = { places: Map<string, Place>; changed: () => void };

const all = () => singleton("mcp.subscriptions", () => new LRUCache<string, Kept>({ max: 10_000 }));

function kept(owner: string): Kept {
  const found = all().get(owner);
  if (found !== undefined) return found;
  const made: Kept = { places: new Map(), changed: () => undefined };
  all().set(owner, made);
  return made;
}

const keyOf = ({ server, name }: Place): string => `${server} ${name}`;

/** Notes that a client follows a resource, or does so no longer. */
export function changeSubscription(visit: Visit, place: Place, follows: boolean): void {
  const { places, changed } = kept(ownerOf(visit));
  if (!follows) places.delete(keyOf(place));
  else if (places.size < MAX_PER_SESSION) places.set(keyOf(place), place);
  changed();
}

/** What a client follows; `changed` is called when that becomes something else. */
export function followedBy(visit: Visit, changed: () => void): Followed {
  const entry = kept(ownerOf(visit));
  entry.changed = changed;
  return entry.places;
}
