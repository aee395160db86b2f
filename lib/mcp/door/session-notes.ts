import { LRUCache } from "lru-cache";
import { bus } from "@/lib/core/bus";
import { AppError } from "@/lib/core/errors";
import { singleton } from "@/lib/core/singleton";
import { askRedis, sharedRedis } from "@/lib/db/redis-client";
import { env } from "@/lib/env";
import type { Place } from "@/lib/mcp/door/names";
import { digestOf } from "@/lib/mcp/door/session-ids";

/**
 * What a client of the sessions era said once for all that follows: from which level on it wants to hear logs, and which
 * resources it follows. With Redis it holds in every process, whichever was told.
 */
type Notes = {
  level: string | undefined;
  readonly places: Map<string, Place>;
  /** Those that servers are being asked to tell of. */
  readonly reserved: Set<{ readonly field: string }>;
  /** What its open streams want to be called when the places become others. */
  readonly streams: Set<() => void>;
  /** Set once this process has asked Redis what is known, or is asking. */
  known: Promise<void> | null;
  /** What was heard while it was asked: newer than its answer. */
  heard: Set<string> | null;
};
type Store = {
  readonly notes: LRUCache<string, Notes>;
  /** Of sessions with an open stream: others, of whatever tenant, cannot push them out. */
  readonly streaming: Map<string, Notes>;
  hasLevels: boolean;
};

const MAX_PLACES = 256;
/** As long as a session lasts. */
const KEPT_S = 7 * 24 * 60 * 60;
const LEVEL = "level";

const store = (): Store =>
  singleton("mcp.session-notes", () => {
    const made: Store = { notes: new LRUCache({ max: 10_000 }), streaming: new Map(), hasLevels: false };
    bus.subscribe((message) => {
      if (message.topic !== "agent_session.noted") return;
      const notes = find(made, message.owner);
      // Who has not asked yet will be told by Redis.
      if (notes === undefined) return;
      notes.heard?.add(message.field);
      apply(made, notes, message.field, message.value);
    });
    return made;
  });

const find = ({ notes, streaming }: Store, owner: string): Notes | undefined =>
  streaming.get(owner) ?? notes.get(owner);

function notesOf(owner: string): Notes {
  const all = store();
  const found = find(all, owner);
  if (found !== undefined) return found;
  const made: Notes = {
    ...{ level: undefined, known: null, heard: null },
    ...{ places: new Map(), reserved: new Set(), streams: new Set() },
  };
  all.notes.set(owner, made);
  return made;
}

/** The field of a followed resource; no slug holds a space. */
const fieldOf = ({ server, name }: Place): string => `${server} ${name}`;

function apply(all: Store, notes: Notes, field: string, value: string | null): void {
  if (field === LEVEL) {
    notes.level = value ?? undefined;
    all.hasLevels = true;
    return;
  }
  const border = field.indexOf(" ");
  if (value === null) notes.places.delete(field);
  else if (border > 0 && notes.places.size < MAX_PLACES)
    notes.places.set(field, { server: field.slice(0, border), name: field.slice(border + 1) });
  for (const changed of notes.streams) changed();
}

const keyOf = (owner: string): string => `${env().REDIS_PREFIX}:session:${digestOf(owner)}`;

async function note(owner: string, field: string, value: string | null): Promise<void> {
  apply(store(), notesOf(owner), field, value);
  if (sharedRedis() === null) return;
  const key = keyOf(owner);
  await askRedis((client) => {
    const batch = client.multi();
    if (value === null) batch.hDel(key, field);
    else batch.hSet(key, field, value);
    return batch.expire(key, KEPT_S).exec();
  });
  bus.publish({ topic: "agent_session.noted", owner, field, value });
}

/** Learns what other processes were told of this session; once, and again only where Redis did not answer. */
export async function knowSession(owner: string): Promise<void> {
  if (sharedRedis() === null) return;
  const notes = notesOf(owner);
  notes.known ??= ask(owner, notes);
  await notes.known;
}

async function ask(owner: string, notes: Notes): Promise<void> {
  const heard = new Set<string>();
  notes.heard = heard;
  const found = await askRedis((client) => client.hGetAll(keyOf(owner)));
  notes.heard = null;
  if (found === null) {
    notes.known = null;
    return;
  }
  for (const [field, value] of Object.entries(found)) if (!heard.has(field)) apply(store(), notes, field, value);
}

/** Notes the level from which on a client wants to hear logs. */
export const setLogLevel = (owner: string, level: string): Promise<void> => note(owner, LEVEL, level);

export const logLevelOf = (owner: string): string | undefined => {
  const all = store();
  return all.hasLevels ? find(all, owner)?.level : undefined;
};

/**
 * Keeps room for a resource that a client wants to follow, before its server is asked. Throws `conflict` where it follows too
 * many already. Returns the function that must be called when the server has answered, and it is noted what came of it.
 */
export function reservePlace(owner: string, place: Place): () => void {
  const mine = { field: fieldOf(place) };
  const { places, reserved } = notesOf(owner);
  const taken = new Set([...places.keys(), ...[...reserved].map(({ field }) => field)]);
  if (taken.size >= MAX_PLACES && !taken.has(mine.field)) {
    throw new AppError(
      "conflict",
      `A session follows no more than ${MAX_PLACES} resources. Unsubscribe from one first.`,
    );
  }
  reserved.add(mine);
  return () => reserved.delete(mine);
}

/** Notes that a client follows a resource, for which there is room, or does so no longer. */
export const changeSubscription = (owner: string, place: Place, follows: boolean): Promise<void> =>
  note(owner, fieldOf(place), follows ? "follows" : null);

/** What the session behind an open stream follows. */
export type Following = {
  readonly places: ReadonlyMap<string, Place>;
  /** Must be called when the stream is over. */
  readonly leave: () => void;
};

/** What a client follows; `changed` is called when that becomes something else. */
export function followedBy(owner: string, changed: () => void): Following {
  const all = store();
  const notes = notesOf(owner);
  // The same function may stand for several streams.
  const own = () => changed();
  notes.streams.add(own);
  all.streaming.set(owner, notes);
  all.notes.delete(owner);
  return {
    places: notes.places,
    leave() {
      notes.streams.delete(own);
      if (notes.streams.size > 0 || all.streaming.get(owner) !== notes) return;
      all.streaming.delete(owner);
      all.notes.set(owner, notes);
    },
  };
}
