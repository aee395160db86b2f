import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { LRUCache } from "lru-cache";
import { AppError } from "@/lib/core/errors";
import { newId } from "@/lib/core/ids";
import { singleton } from "@/lib/core/singleton";
import { secretFor } from "@/lib/db/process-secrets";
import { endSession, isEnded } from "@/lib/gateway/ended-sessions";
import type { Identity } from "@/lib/gateway/identity";
import { UNSTATED_VERSION } from "@/lib/mcp/upstream/protocol";

/**
 * Sessions are not kept: the id says when it was given, what the client can do and whether its revision has batches, and
 * carries our seal over that and over the agent it was given to. So any process can serve it, and only what was ended early has to be remembered.
 */
type Session = { readonly uuid: string; readonly expiresAt: number };
type Held = Session & { readonly tenantId: string; readonly agentId: string };

/** How long a session lasts. The key behind it is checked with every message. */
const LIFETIME_MS = 7 * 24 * 60 * 60_000;

const SHAPE = /^([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})\.([a-z]{0,6})(B?)\.([\w-]{22})$/;
/** Stands in the id of a session whose revision has batches. */
const BATCHES = "B";

const key = (): Buffer => secretFor("agent-session");

function sealOf({ tenantId, actor }: Identity, uuid: string, said: string): Buffer {
  const bound = JSON.stringify([uuid, said, tenantId, actor.id]);
  return createHmac("sha256", key()).update(bound).digest().subarray(0, 16);
}

/** A new id for this agent; `letters` say what its client can do, `version` what was agreed on. */
export function giveSession(identity: Identity, letters: string, version: string): string {
  const uuid = newId();
  const said = version === UNSTATED_VERSION ? `${letters}${BATCHES}` : letters;
  return `${uuid}.${said}.${sealOf(identity, uuid, said).toString("base64url")}`;
}

/** The letters of an id; empty for one that is none of ours. */
export const lettersOf = (session: string): string => SHAPE.exec(session)?.[2] ?? "";

/** True where the revision that was agreed on has batches. */
export const hasBatches = (session: string): boolean => SHAPE.exec(session)?.[3] === BATCHES;

/** The part of an id by which its end is announced. */
export const uuidOf = (session: string): string => session.slice(0, 36);

/** Names a session and its key where others read along: both are secrets of their client. */
export const digestOf = (owner: string): string => createHash("sha256").update(owner).digest("base64url");

/** The first 48 bits of a uuid of version 7 are its moment. */
const givenAt = (uuid: string): number => Number.parseInt(uuid.slice(0, 8) + uuid.slice(9, 13), 16);

/** Ids whose seal was found good; whose they are is compared every time. */
const known = () => singleton("mcp.known-sessions", () => new LRUCache<string, Held>({ max: 10_000 }));

function open(identity: Identity, id: string): Held | null {
  const { tenantId, actor } = identity;
  const before = known().get(id);
  if (before !== undefined) return before.tenantId === tenantId && before.agentId === actor.id ? before : null;
  const [, uuid, letters, batches, seal] = SHAPE.exec(id) ?? [];
  if (uuid === undefined || letters === undefined || batches === undefined || seal === undefined) return null;
  const given = Buffer.from(seal, "base64url");
  if (given.length !== 16 || !timingSafeEqual(given, sealOf(identity, uuid, letters + batches))) return null;
  const held = { uuid, expiresAt: givenAt(uuid) + LIFETIME_MS, tenantId, agentId: actor.id };
  known().set(id, held);
  return held;
}

/**
 * The session behind an id. Throws `not_found`, which the protocol answers with 404 so that the client begins anew, for
 * one that is not this agent's, was ended, or is over.
 */
async function requireSession(identity: Identity, id: string, now: number): Promise<Session> {
  const held = open(identity, id);
  if (held === null || held.expiresAt <= now || (await isEnded(identity.tenantId, held.uuid))) {
    throw new AppError("not_found", "There is no such session, or it is over. Begin a new one with initialize.");
  }
  return held;
}

/** Throws `not_found` for a message of a session that is not there; a client may do without a session. */
export async function checkSession(identity: Identity, id: string | null, now = Date.now()): Promise<void> {
  if (id !== null) await requireSession(identity, id, now);
}

/** Ends a session at the wish of its client, in every process. Throws `not_found` where there is none. */
export async function closeSession(identity: Identity, id: string): Promise<void> {
  const { uuid, expiresAt } = await requireSession(identity, id, Date.now());
  await endSession(identity.tenantId, uuid, new Date(expiresAt));
}
