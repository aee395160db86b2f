import "server-only";
import type { EntryDraft } from "@/lib/audit/entry";
import type { AppError } from "@/lib/core/errors";
import { PLATFORM_TENANT_ID } from "@/lib/core/ids";
import { keyRefusalOf } from "@/lib/gateway/authenticate";
import { draftOf, refusedKeyDraft } from "@/lib/gateway/entry-drafts";
import type { GatewayDeps } from "@/lib/gateway/gateway-deps";
import type { Identity } from "@/lib/gateway/identity";
import type { Catalog } from "@/lib/gateway/list-tools";
import type { Entrance } from "@/lib/gateway/tool-call";

type Deps = Pick<GatewayDeps, "append" | "refusals">;

const aboutTheDoor = (identity: Identity, entrance: Entrance) => ({
  ...draftOf(identity, entrance),
  phase: "auth" as const,
  target: entrance.door,
});

/** An agent asked which tools it may call. */
export async function recordListing(
  gateway: Deps,
  identity: Identity,
  entrance: Entrance,
  catalog: Catalog,
): Promise<string> {
  const draft: EntryDraft = {
    ...aboutTheDoor(identity, entrance),
    eventType: "tool_list.read",
    outcome: "success",
    decision: "allowed",
    count: catalog.count,
    bytesOut: catalog.bytes,
  };
  return (await gateway.append(draft)).eventId;
}

/** What an agent does beside its calls; everything else is a greeting (`initialize`, `server/discover`). */
const ARRIVALS: Readonly<Record<string, string>> = { ping: "connection.kept", DELETE: "connection.closed" };

/** An agent greeted us, asked whether we are there, or left; chatter of one key is counted together. */
export function recordArrival(gateway: Deps, identity: Identity, entrance: Entrance, method: string): Promise<string> {
  const eventType = ARRIVALS[method] ?? "connection.opened";
  const draft: EntryDraft = { ...aboutTheDoor(identity, entrance), eventType, outcome: "success", decision: "allowed" };
  return gateway.refusals.record(`${eventType}:${identity.credentialId}`, draft);
}

/** A message that could not be served: not a call, and nothing anybody was denied. */
export function recordRefusedRequest(
  gateway: Deps,
  identity: Identity,
  entrance: Entrance,
  error: AppError,
  method: string | null,
): Promise<string> {
  const draft: EntryDraft = {
    ...aboutTheDoor(identity, entrance),
    eventType: "request.sent",
    outcome: "failure",
    reasonCode: error.code,
    reason: error.message,
    ...(method === null ? {} : { target: `${entrance.door} ${method.slice(0, 80)}` }),
  };
  return gateway.refusals.record(`request:${identity.credentialId}`, draft);
}

/** A request of nobody we know: limited per address, in the platform's chain unless the key was somebody's once. */
export function recordRefusedKey(gateway: Deps, entrance: Entrance, error: AppError): Promise<string> {
  const draft = refusedKeyDraft(keyRefusalOf(error), entrance, error);
  const stranger = draft.tenantId === PLATFORM_TENANT_ID;
  return gateway.refusals.record(stranger ? `address:${entrance.ip ?? "unknown"}` : `key:${draft.credentialId}`, draft);
}
