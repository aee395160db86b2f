import { logger } from "@/lib/core/logger";
import { singleton } from "@/lib/core/singleton";
import type { GatewayDeps } from "@/lib/gateway/gateway-deps";
import type { Notice, Upstream } from "@/lib/mcp/upstream/protocol";
import { startDeadline } from "@/lib/resilience/deadline";
import type { RegisteredServer } from "@/lib/servers/registered-server";

type Deps = Pick<GatewayDeps, "upstreams">;
type Hear = (notice: Notice) => void;
/** Listens to one server for all who want to hear it. */
type Ear = {
  /** All of them; they hear of lists that change. */
  readonly listeners: Set<Hear>;
  /** Who follows a resource, by its URI. */
  readonly followers: Map<string, Set<Hear>>;
  readonly stop: () => void;
};

const LONGEST_MS = 2 ** 31 - 1;
const RETRY_MS = { first: 1_000, most: 30_000 };
/** Changes come in bursts, and each is told to very many: what is said again within this time is told once. */
const GATHER_MS = 20;

export const UPDATED = "notifications/resources/updated";
const LISTS = new Set([
  "notifications/tools/list_changed",
  "notifications/prompts/list_changed",
  "notifications/resources/list_changed",
]);

const ears = (): Map<string, Ear> => singleton("gateway.ears", () => new Map());

/**
 * Hears what a server announces: lists that change, and updates of the resources named by `uris`. All who want to hear the
 * same of one server share one connection to it, which is opened again when it breaks. Returns the function that stops
 * listening.
 */
export function listenTo(gateway: Deps, server: RegisteredServer, uris: readonly string[], hear: Hear): () => void {
  const followed = new Set(uris);
  const ends = [join(gateway, server, [], followed, hear)];
  // Apart from lists, which all listen for: servers have to be asked for each resource.
  if (followed.size > 0) ends.push(join(gateway, server, [...followed].sort(), followed, hear));
  return () => {
    for (const end of ends) end();
  };
}

/** `asked`: what the server is asked to tell of. */
function join(
  gateway: Deps,
  server: RegisteredServer,
  asked: readonly string[],
  followed: ReadonlySet<string>,
  hear: Hear,
): () => void {
  const key = JSON.stringify([server.id, server.version, asked]);
  const found = ears().get(key);
  const ear = found ?? openEar(gateway, server, asked);
  if (found === undefined) ears().set(key, ear);
  // The same function may listen twice, once to each of the two kinds.
  const own: Hear = (notice) => hear(notice);
  ear.listeners.add(own);
  for (const uri of followed) ear.followers.set(uri, (ear.followers.get(uri) ?? new Set()).add(own));
  return () => {
    ear.listeners.delete(own);
    for (const uri of followed) {
      const rest = ear.followers.get(uri);
      rest?.delete(own);
      if (rest?.size === 0) ear.followers.delete(uri);
    }
    if (ear.listeners.size > 0 || ears().get(key) !== ear) return;
    ears().delete(key);
    ear.stop();
  };
}

/** Hands on what somebody wants to hear, the latest word of each only. */
function gather({ listeners, followers }: Pick<Ear, "listeners" | "followers">): Hear {
  const heard = new Map<string, Notice>();
  const audienceOf = ({ method, params }: Notice): ReadonlySet<Hear> | undefined => {
    if (method === UPDATED) return followers.get(String(params["uri"]));
    return LISTS.has(method) ? listeners : undefined;
  };
  const tellAll = () => {
    const notices = [...heard.values()];
    heard.clear();
    for (const notice of notices) for (const hear of audienceOf(notice) ?? []) hear(notice);
  };
  return (notice) => {
    if (audienceOf(notice) === undefined) return;
    if (heard.size === 0) setTimeout(tellAll, GATHER_MS);
    heard.set(notice.method === UPDATED ? `${UPDATED} ${notice.params["uri"]}` : notice.method, notice);
  };
}

function openEar(gateway: Deps, server: RegisteredServer, uris: readonly string[]): Ear {
  const over = new AbortController();
  const audience = { listeners: new Set<Hear>(), followers: new Map<string, Set<Hear>>() };
  const filter =
    uris.length === 0
      ? { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true }
      : { resourceSubscriptions: [...uris] };
  const onNotice = gather(audience);
  const once = async (isFirst: boolean) => {
    const deadline = startDeadline(LONGEST_MS, over.signal);
    try {
      // Disabled, or reached in another way by now: whoever may still hear it listens to what it has become.
      if (!(await gateway.upstreams.isCurrent(server))) return;
      const upstream = gateway.upstreams.of(server);
      if (!isFirst) await meetAgain(upstream, server.deadlineMs);
      await upstream.listen?.({ filter, deadline, onNotice });
    } finally {
      deadline.release();
    }
  };
  void (async () => {
    for (let [wait, turn] = [RETRY_MS.first, 0]; !over.signal.aborted; wait = Math.min(wait * 2, RETRY_MS.most)) {
      const since = performance.now();
      await once(turn++ === 0).catch((cause: unknown) => {
        if (!over.signal.aborted)
          logger.debug({ err: cause, server: server.slug }, "a server cannot be listened to now");
      });
      if (performance.now() - since > RETRY_MS.most) wait = RETRY_MS.first;
      await pause(wait, over.signal);
    }
  })();
  return { ...audience, stop: () => over.abort() };
}

/** A server of the sessions era may have lost ours meanwhile; with any request another one is begun. */
async function meetAgain(upstream: Upstream, deadlineMs: number): Promise<void> {
  const deadline = startDeadline(deadlineMs);
  try {
    const { era } = await upstream.greet(deadline);
    if (era === "legacy") await upstream.request({ method: "ping", params: {}, deadline });
  } catch (cause) {
    // What matters is said by what is asked next.
    logger.debug({ err: cause }, "a server does not answer a ping");
  } finally {
    deadline.release();
  }
}

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
