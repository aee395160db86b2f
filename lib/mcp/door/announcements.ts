import { decide, type PermissionMap } from "@/lib/access/decide";
import { PROMPTS, RESOURCES } from "@/lib/access/primitives";
import { bus } from "@/lib/core/bus";
import { isAppError } from "@/lib/core/errors";
import { logger } from "@/lib/core/logger";
import { singleton } from "@/lib/core/singleton";
import { authenticate } from "@/lib/gateway/authenticate";
import { listenTo, UPDATED } from "@/lib/gateway/ears";
import type { Identity } from "@/lib/gateway/identity";
import { killedBy } from "@/lib/gateway/require-alive";
import { bearerOf } from "@/lib/mcp/door/guards";
import { jointUri, type Place } from "@/lib/mcp/door/names";
import type { Visit } from "@/lib/mcp/door/visit";
import type { Json, Notice } from "@/lib/mcp/upstream/protocol";
import type { RegisteredServer, ServersBySlug } from "@/lib/servers/registered-server";

/** What a client wants to hear of, in the words of `subscriptions/listen`, its resources as places. */
export type Wanted = {
  readonly tools: boolean;
  readonly prompts: boolean;
  readonly resources: boolean;
  readonly places: readonly Place[];
};

export type Announcing = {
  /** What is wanted has become something else. */
  readonly again: () => void;
  readonly end: () => void;
};

type Listener = {
  readonly tell: (notice: Notice) => void;
  /** The caller may hear nothing any more, or it cannot be found out. */
  readonly onLost: () => void;
};

const TOOLS_CHANGED = "notifications/tools/list_changed";
const PROMPTS_CHANGED = "notifications/prompts/list_changed";
const RESOURCES_CHANGED = "notifications/resources/list_changed";

/** Messages of ours after which a caller may see something else than before. */
const CHANGES_LISTS = new Set(["server.changed", "permission_map.changed", "role.changed", "agent.changed"]);
/** Those after which a caller may hear something else than before. */
const CHANGES_RIGHTS = new Set(["server.changed", "permission_map.changed", "role.changed", "kill_switch.changed"]);
/** Changes come in bursts; a client asks anew once. */
const GATHER_MS = 50;
/** Without a message (another process, no Redis) what a caller may hear is looked at this often. */
const LOOK_EVERY_MS = 2_000;

/**
 * Tells a client what changes: what its servers announce, and what we change ourselves, each only where this caller may
 * see it. A server that a kill switch stops is not heard any more. Begins again, with what the caller may hear by then,
 * whenever that may have changed.
 */
export function announce(visit: Visit, wanted: () => Wanted, { tell, onLost }: Listener): Announcing {
  const { tenantId } = visit.identity;
  const soon = gather(tell);
  let heard: Hearing | null = null;
  let [over, stale] = [false, false];
  let running: Promise<void> | null = null;
  let waiting: NodeJS.Timeout | null = null;

  const lose = (cause: unknown) => {
    if (!isRefusedKey(cause)) logger.warn({ err: cause }, "a stream ended: what it may tell could not be found out");
    onLost();
  };
  // One after the other: what began first must not be in force last.
  const begin = async () => {
    try {
      do {
        stale = false;
        const next = await hear(visit, wanted, soon, tell);
        heard?.end();
        heard = next;
      } while (stale && !over);
    } finally {
      running = null;
      if (over) heard?.end();
    }
  };
  const again = () => {
    if (over) return;
    stale = true;
    running ??= begin().catch(lose);
  };
  const stopLooking = lookOften(async () => {
    if (heard === null || running !== null) return;
    const found = await rightsOf(visit).catch((cause: unknown) => {
      if (isRefusedKey(cause)) lose(cause);
      else logger.debug({ err: cause }, "what a stream may tell could not be looked at");
      return null;
    });
    if (found !== null && !isSame(found, heard.rights)) again();
  });
  const unsubscribe = bus.subscribe((message) => {
    if (!("tenantId" in message) || message.tenantId !== tenantId) return;
    if (CHANGES_LISTS.has(message.topic)) soon.tell(...listsIn(wanted()));
    if (!CHANGES_RIGHTS.has(message.topic)) return;
    waiting ??= setTimeout(() => {
      waiting = null;
      again();
    }, GATHER_MS);
  });
  again();
  return {
    again,
    end() {
      over = true;
      unsubscribe();
      stopLooking();
      soon.end();
      if (waiting !== null) clearTimeout(waiting);
      heard?.end();
    },
  };
}

type Rights = { readonly identity: Identity; readonly map: PermissionMap; readonly servers: ServersBySlug };
type Hearing = { readonly rights: Rights; readonly end: () => void };

/** What the caller may do now. Throws `unauthenticated` once its key is no longer good. */
async function rightsOf({ gateway, identity: known, header }: Visit): Promise<Rights> {
  const { tenantId } = known;
  const [identity, map, servers] = await Promise.all([
    // Over a connection that carries many messages the key is looked at by whoever holds the connection.
    header === undefined ? known : authenticate(gateway, { kind: "key", secret: bearerOf(header) }),
    gateway.permissionMap(tenantId),
    gateway.servers(tenantId),
  ]);
  return { identity, map, servers };
}

const isRefusedKey = (cause: unknown): boolean => isAppError(cause) && cause.code === "unauthenticated";

function isSame(one: Rights, other: Rights): boolean {
  const [held, before] = [one.identity.permissions, other.identity.permissions];
  const isEqual = held.size === before.size && [...held].every((permission) => before.has(permission));
  return isEqual && one.map === other.map && one.servers === other.servers;
}

/** Listens to every server of which this caller may use something. */
async function hear(visit: Visit, wanted: () => Wanted, soon: Soon, tell: Listener["tell"]): Promise<Hearing> {
  const { gateway, server: only } = visit;
  const [switches, rights] = await Promise.all([gateway.killSwitches(visit.identity.tenantId), rightsOf(visit)]);
  const { identity, map, servers } = rights;
  const now = wanted();
  const ends = [...servers.values()].flatMap((server) => {
    const { slug, tools, withheld } = server;
    const at = { identity, ref: { server: slug, tool: "" } };
    const may = (tool: string) =>
      withheld?.has(tool) !== true && decide(map, identity.permissions, { server: slug, tool }).allow;
    if ((only !== null && slug !== only) || killedBy(switches, at) !== null) return [];
    const [reads, prompts] = [may(RESOURCES), may(PROMPTS)];
    if (!reads && !prompts && ![...tools.keys()].some(may)) return [];
    const places = reads ? now.places : [];
    const end = hearOne(
      visit,
      server,
      { ...now, prompts: now.prompts && prompts, resources: now.resources && reads, places },
      soon,
      tell,
    );
    const leave = gateway.inFlight.enter(at, end);
    return [leave, end];
  });
  return {
    rights,
    end() {
      for (const end of ends) end();
    },
  };
}

function hearOne(
  visit: Visit,
  server: RegisteredServer,
  wanted: Wanted,
  soon: Soon,
  tell: Listener["tell"],
): () => void {
  const { slug } = server;
  const uris = wanted.places.filter((place) => place.server === slug).map(({ name }) => name);
  const lists = listsIn(wanted);
  return listenTo(visit.gateway, server, uris, ({ method, params }) => {
    if (lists.includes(method)) soon.tell(method);
    if (method === UPDATED) tell(updated(visit, slug, params));
  });
}

const listsIn = ({ tools, prompts, resources }: Wanted): string[] => [
  ...(tools ? [TOOLS_CHANGED] : []),
  ...(prompts ? [PROMPTS_CHANGED] : []),
  ...(resources ? [RESOURCES_CHANGED] : []),
];

type Soon = { readonly tell: (...methods: string[]) => void; readonly end: () => void };

/** Tells each of what changes in a burst once. */
function gather(tell: Listener["tell"]): Soon {
  const waiting = new Set<string>();
  let timer: NodeJS.Timeout | null = null;
  const tellAll = () => {
    timer = null;
    const methods = [...waiting];
    waiting.clear();
    for (const method of methods) tell({ method, params: {} });
  };
  return {
    tell(...methods) {
      for (const method of methods) waiting.add(method);
      if (waiting.size > 0) timer ??= setTimeout(tellAll, GATHER_MS);
    },
    end() {
      if (timer !== null) clearTimeout(timer);
    },
  };
}

type Looks = { readonly all: Set<() => void>; timer: NodeJS.Timeout | null };

const looks = (): Looks => singleton("mcp.announcement-looks", () => ({ all: new Set(), timer: null }));

/** All streams look in the same moment: keys that are asked for together cost one question. */
function lookOften(look: () => Promise<void>): () => void {
  const held = looks();
  const own = () => void look();
  held.all.add(own);
  held.timer ??= setInterval(() => {
    for (const each of held.all) each();
  }, LOOK_EVERY_MS).unref();
  return () => {
    held.all.delete(own);
    if (held.all.size > 0 || held.timer === null) return;
    clearInterval(held.timer);
    held.timer = null;
  };
}

function updated({ server }: Visit, slug: string, params: Json): Notice {
  const { _meta: _, ...rest } = params;
  return { method: UPDATED, params: server === null ? { ...rest, uri: jointUri(slug, params["uri"]) } : rest };
}
