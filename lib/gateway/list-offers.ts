import "server-only";
import { decide } from "@/lib/access/decide";
import { PROMPTS, RESOURCES } from "@/lib/access/primitives";
import { toAppError } from "@/lib/core/errors";
import { authorize, type Grant } from "@/lib/gateway/authorize";
import { decideAgain } from "@/lib/gateway/decide-again";
import { draftOf } from "@/lib/gateway/entry-drafts";
import type { GatewayDeps } from "@/lib/gateway/gateway-deps";
import type { Identity } from "@/lib/gateway/identity";
import { judgeFailure } from "@/lib/gateway/judge-failure";
import { requireAlive, requireCallerAlive } from "@/lib/gateway/require-alive";
import { requireReachable } from "@/lib/gateway/require-reachable";
import { ServerTime } from "@/lib/gateway/server-time";
import { spendRateLimit } from "@/lib/gateway/spend-rate-limit";
import type { Entrance } from "@/lib/gateway/tool-call";
import { listPages } from "@/lib/mcp/upstream/list-pages";
import type { Json } from "@/lib/mcp/upstream/protocol";
import { makeDeadline } from "@/lib/resilience/deadline";
import type { RegisteredServer } from "@/lib/servers/registered-server";

/** What servers list beside their tools. */
export const OFFERS = {
  "resources/list": { key: RESOURCES, capability: "resources", member: "resources" },
  "resources/templates/list": { key: RESOURCES, capability: "resources", member: "resourceTemplates" },
  "prompts/list": { key: PROMPTS, capability: "prompts", member: "prompts" },
} as const;
export type OfferMethod = keyof typeof OFFERS;

/** One thing that a server lists. */
export type Offer = { readonly server: string; readonly item: Json };
/** What was asked of all; `cut` names the servers whose list has no end, of which what was read is here. */
export type Offers = { readonly offers: readonly Offer[]; readonly cut: readonly string[] };

type Deps = Pick<
  GatewayDeps,
  | "permissionMap"
  | "servers"
  | "circuits"
  | "upstreams"
  | "append"
  | "checkKey"
  | "killSwitches"
  | "inFlight"
  | "rateLimiting"
>;

const has = (server: RegisteredServer, capability: string): boolean =>
  server.capabilities?.includes(capability) === true;

/** The servers whose resources or prompts this identity may use: by the decision that also governs each use. */
export async function serversOffering(
  gateway: Pick<GatewayDeps, "permissionMap" | "servers">,
  identity: Identity,
  key: typeof RESOURCES | typeof PROMPTS,
  only: string | null,
): Promise<RegisteredServer[]> {
  const [map, servers] = await Promise.all([
    gateway.permissionMap(identity.tenantId),
    gateway.servers(identity.tenantId),
  ]);
  const capability = key === RESOURCES ? "resources" : "prompts";
  return [...servers.values()].filter(
    (server) =>
      (only === null || server.slug === only) &&
      has(server, capability) &&
      server.withheld?.has(key) !== true &&
      decide(map, identity.permissions, { server: server.slug, tool: key }).allow,
  );
}

/**
 * Everything of one kind that this identity may use, asked of the servers themselves. Where many are asked, one that does
 * not answer, or that a kill switch stops, is left out; where one is asked, its failure is the answer. `secret` is the key by
 * which the identity is known, where there is one.
 */
export async function listOffers(
  gateway: Deps,
  identity: Identity,
  method: OfferMethod,
  only: string | null,
  secret: string | null = null,
): Promise<Offers> {
  await requireCallerAlive(gateway, identity, only);
  const offering = await serversOffering(gateway, identity, OFFERS[method].key, only);
  const servers = new Map(offering.map((server) => [server.slug, server]));
  const map = await gateway.permissionMap(identity.tenantId);
  const grants = offering.map((server) => {
    const ref = { server: server.slug, tool: OFFERS[method].key };
    return authorize(identity, map, servers, ref, { method, params: {}, target: "" });
  });
  // Counted as one call, however many servers it reaches.
  if (grants[0] !== undefined) await spendRateLimit(gateway, grants[0], () => undefined);
  const lists = await Promise.all(
    grants.map((grant) =>
      askOne(gateway, grant, method, secret).catch((cause: unknown) => {
        if (only !== null) throw cause;
        return NOTHING;
      }),
    ),
  );
  return { offers: lists.flatMap(({ offers }) => offers), cut: lists.flatMap(({ cut }) => cut) };
}

const NOTHING: Offers = { offers: [], cut: [] };

async function askOne(gateway: Deps, grant: Grant, method: OfferMethod, secret: string | null): Promise<Offers> {
  const { server, identity, ref } = grant;
  const passage = await gateway.circuits.enter(grant);
  const deadline = makeDeadline();
  const land = gateway.inFlight.enter(grant, deadline.kill);
  const time = new ServerTime();
  try {
    // After it is known to be in flight: a switch is seen here, or ends what is asked.
    await requireAlive(gateway, grant);
    // It may have waited for a place, and the server may be another one by now.
    const now = await requireReachable(gateway, grant, {});
    const credential = { kind: "checked", identity, secret } as const;
    const ask = { method, params: {}, target: "" };
    if (passage.waitedMs > 0) await decideAgain(gateway, { credential, ref, ask, args: {} }, passage, () => undefined);
    // What we read ourselves until here is no time of the server's.
    deadline.begin(server.deadlineMs);
    time.begin();
    const { items, cut } = await listPages(gateway.upstreams.of(now.server), method, OFFERS[method].member, deadline);
    passage.leave("success", undefined, time.tookMs());
    const offers = items.map((item) => ({ server: server.slug, item }));
    return { offers, cut: cut === null ? [] : [server.slug] };
  } catch (cause) {
    const tookMs = time.tookMs();
    const { error, vote } = await judgeFailure(gateway, grant, {}, toAppError(cause));
    passage.leave(vote, error, tookMs);
    throw error;
  } finally {
    land();
    deadline.release();
  }
}

/** An agent asked which resources or prompts it may use. */
export async function recordOffers(
  gateway: Pick<GatewayDeps, "append">,
  identity: Identity,
  entrance: Entrance,
  method: OfferMethod,
  count: number,
): Promise<string> {
  const { eventId } = await gateway.append({
    ...draftOf(identity, entrance),
    phase: "auth",
    target: entrance.door,
    eventType: method === "prompts/list" ? "prompt_list.read" : "resource_list.read",
    outcome: "success",
    decision: "allowed",
    count,
  });
  return eventId;
}
