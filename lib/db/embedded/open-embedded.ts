import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { logger } from "@/lib/core/logger";
import { type Binaries, findBinaries } from "@/lib/db/embedded/binaries";
import { freePort, type Place, placeUrl, settle, sparePrograms, writePlace } from "@/lib/db/embedded/place";
import {
  createDatabase,
  findRunning,
  initialise,
  isInitialised,
  StartFailed,
  start,
  stop,
} from "@/lib/db/embedded/postmaster";
import { announce, type Presence } from "@/lib/db/embedded/presence";
import { withStartLock } from "@/lib/db/embedded/start-lock";

export type EmbeddedDatabase = {
  readonly url: string;
  /** How this process came to it. */
  readonly found: "started" | "adopted";
  /** Leaves the server; stops it when no other process of ours is using it. */
  readonly close: () => Promise<void>;
};

const START_ATTEMPTS = 20;
const LEFTOVERS_MS = 250;

/** Finds the running PostgreSQL of `dataDir`, or makes and starts it. There is never a second one on the same data. */
export async function openEmbedded(dataDir: string): Promise<EmbeddedDatabase> {
  const held = { presence: null as Presence | null, closing: false };
  const { place, found } = await enter(dataDir);
  await stay(place);

  async function stay(at: Place): Promise<void> {
    held.presence = await announce(placeUrl(at), () => void revive());
  }

  /** The server died under us (not through us): bring it back, so that the gateway recovers without a restart. */
  async function revive(): Promise<void> {
    for (let delay = 100; !held.closing; delay = Math.min(delay * 2, 10_000)) {
      try {
        await wait(delay, undefined, { ref: false });
        if (held.closing) return;
        const again = await enter(dataDir);
        logger.warn({ found: again.found }, "the embedded database was gone and is back");
        return await stay(again.place);
      } catch (cause) {
        logger.error({ err: cause }, "the embedded database is gone and does not come back yet");
      }
    }
  }

  return {
    url: placeUrl(place),
    found,
    close: async () => {
      held.closing = true;
      await withStartLock(lockPath(dataDir), () => leave(place, held.presence));
    },
  };
}

const lockPath = (dataDir: string): string => join(dataDir, "postgres.lock");

async function enter(dataDir: string): Promise<{ place: Place; found: "started" | "adopted" }> {
  const place = await settle(dataDir);
  // Adopting takes no lock: the usual case for a CLI beside a running server.
  if (place.ready && (await findRunning(place)) === "running") return { place, found: "adopted" };
  return withStartLock(lockPath(dataDir), () => makeOrStart(dataDir));
}

/** Under the lock: looks again, because another process may have been quicker. */
async function makeOrStart(dataDir: string): Promise<{ place: Place; found: "started" | "adopted" }> {
  const place = await settle(dataDir);
  if ((await findRunning(place)) === "running") return { place: await complete(place), found: "adopted" };
  const programs = await findBinaries(place.osUser, sparePrograms(place));
  if (!(await isInitialised(place))) {
    if (place.ready) {
      throw new Error(
        `The database files are missing from ${place.folder}. Restore them, or delete postgres.json in ${dataDir} to start empty.`,
      );
    }
    await initialise(place, programs);
  }
  return { place: await complete(await startSomewhere(place, programs)), found: "started" };
}

/** The last step of a first start, which may have been killed before it. */
async function complete(place: Place): Promise<Place> {
  if (place.ready) return place;
  await createDatabase(place);
  const ready = { ...place, ready: true };
  await writePlace(ready);
  return ready;
}

/** The remembered port first; another one when somebody has taken it meanwhile. */
async function startSomewhere(place: Place, programs: Binaries): Promise<Place> {
  let at = place;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await start(at, programs);
      return at;
    } catch (cause) {
      if (!(cause instanceof StartFailed) || attempt === START_ATTEMPTS) throw cause;
      if (cause.portTaken) {
        at = { ...at, port: await freePort() };
        await writePlace(at);
      } else if (cause.leftovers) await wait(LEFTOVERS_MS);
      else throw cause;
    }
  }
}

async function leave(place: Place, presence: Presence | null): Promise<void> {
  const others = presence === null ? 0 : await presence.others().catch(() => 0);
  await presence?.leave().catch(() => undefined);
  if (others > 0) return;
  await stop(place, () => findBinaries(place.osUser, sparePrograms(place)));
}
