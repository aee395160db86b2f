import { logger } from "@/lib/core/logger";
import { singleton } from "@/lib/core/singleton";
import type { GatewayDeps } from "@/lib/gateway/gateway-deps";
import type { Notice } from "@/lib/mcp/upstream/protocol";
import { startDeadline } from "@/lib/resilience/deadline";
import type { RegisteredServer } from "@/lib/servers/registered-server";

type Deps = Pick<GatewayDeps, "upstreams">;
type Hear = (notice: Notice) => void;
type Ear = { readonly listeners: Set<Hear>; readonly stop: () => void };

const LONGEST_MS = 2 ** 31 - 1;
const RETRY_MS = { first: 1_000, most: 30_000 };

const ears = (): Map<string, Ear> => singleton("gateway.ears", () => new Map());

/**
 * Hears what a server announces: lists that change, and the resources named by `uris`. All who want to hear the same of one
 * server share one connection to it, which is opened again when it breaks. Returns the function that stops listening.
 */
export function listenTo(gateway: Deps, server: RegisteredServer, uris: readonly string[], hear: Hear): () => void {
  const ends = [join(gateway, server, [], hear)];
  // Servers of the sessions era tell everything on one stream; the others have to be told what to tell of.
  if (uris.length > 0) ends.push(join(gateway, server, uris, hear));
  return () => {
    for (const end of ends) end();
  };
}

function join(gateway: Deps, server: RegisteredServer, uris: readonly string[], hear: Hear): () => void {
  const key = JSON.stringify([server.id, server.version, [...uris].sort()]);
  const found = ears().get(key);
  const ear = found ?? openEar(gateway, server, uris);
  if (found === undefined) ears().set(key, ear);
  // The same function may listen twice, once to each of the two kinds.
  const own: Hear = (notice) => hear(notice);
  ear.listeners.add(own);
  return () => {
    ear.listeners.delete(own);
    if (ear.listeners.size > 0 || ears().get(key) !== ear) return;
    ears().delete(key);
    ear.stop();
  };
}

function openEar(gateway: Deps, server: RegisteredServer, uris: readonly string[]): Ear {
  const over = new AbortController();
  const listeners = new Set<Hear>();
  const filter =
    uris.length === 0
      ? { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true }
      : { resourceSubscriptions: [...uris] };
  const onNotice = (notice: Notice) => {
    for (const hear of listeners) hear(notice);
  };
  const once = async () => {
    const deadline = startDeadline(LONGEST_MS, over.signal);
    try {
      const upstream = gateway.upstreams.of(server);
      if (uris.length > 0 && (await upstream.greet(deadline)).era === "legacy") await stop(over.signal);
      else await upstream.listen?.({ filter, deadline, onNotice });
    } finally {
      deadline.release();
    }
  };
  void (async () => {
    for (let wait = RETRY_MS.first; !over.signal.aborted; wait = Math.min(wait * 2, RETRY_MS.most)) {
      const since = performance.now();
      await once().catch((cause: unknown) => {
        if (!over.signal.aborted)
          logger.debug({ err: cause, server: server.slug }, "a server cannot be listened to now");
      });
      if (performance.now() - since > RETRY_MS.most) wait = RETRY_MS.first;
      await pause(wait, over.signal);
    }
  })();
  return { listeners, stop: () => over.abort() };
}

const stop = (over: AbortSignal): Promise<void> => pause(LONGEST_MS, over);

const pause = (ms: number, over: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (over.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      over.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    timer.unref();
    over.addEventListener("abort", done, { once: true });
  });

/** Stops listening to everybody. */
export function closeEars(): void {
  for (const ear of ears().values()) ear.stop();
  ears().clear();
}
