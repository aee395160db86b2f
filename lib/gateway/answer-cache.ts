import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { deflateRaw, deflateRawSync, inflateRaw, inflateRawSync } from "node:zlib";
import { LRUCache } from "lru-cache";
import { bus } from "@/lib/core/bus";
import { canonicalJson } from "@/lib/core/canonical-json";
import { logger } from "@/lib/core/logger";
import { type Soon, soon } from "@/lib/core/soon";
import type { Grant } from "@/lib/gateway/authorize";
import type { Handling } from "@/lib/limits/current-handling";
import type { CacheView } from "@/lib/limits/schemas";
import type { Json, LargeResult, UpstreamAnswer } from "@/lib/mcp/upstream/protocol";

/** Answers of read-only tools that are given again, where a tenant wants it. Who may have one is decided before, on every call. */
export type AnswerCache = {
  /** Null where this tool's answers are not kept. */
  readonly of: (grant: Grant, args: Json) => Soon<CachePlace | null>;
  /** By server slug, of this process. */
  readonly views: (tenantId: string) => ReadonlyMap<string, CacheView>;
  readonly close: () => void;
};
export type CachePlace = {
  readonly get: () => Promise<UpstreamAnswer | null>;
  readonly put: (answer: UpstreamAnswer) => void;
};

type Kept = {
  readonly tenantId: string;
  readonly server: string;
  readonly serverId: string;
  readonly bytes: number;
  readonly plainBytes: number;
  /** What it counts for. */
  readonly size: number;
  readonly body: Buffer;
  /** Small members and digest of a large result, of which `body` has the others only. */
  readonly parts: Parts | null;
};
type Parts = { readonly head: Json; readonly rest: Omit<LargeResult, "pieces"> };
type Counts = { hits: number; misses: number };

const MAX_TOTAL_BYTES = 64 * 1024 * 1024;
const MAX_ANSWER_BYTES = 1024 * 1024;
/** A tenant must not push the others out. */
const MAX_TENANT_BYTES = 16 * 1024 * 1024;
const PACK_FROM_BYTES = 1_024;
/** Packing this much takes well under a millisecond; more is done beside the loop. */
const PACK_AT_ONCE_BYTES = 16 * 1024;
const BOOKKEEPING_BYTES = 512;
/** What is kept beside the text of a large answer, at most; and for each address in it. */
const MAX_HEAD_BYTES = 128 * 1024;
const BYTES_PER_PLACE = 8;

const packAside = promisify(deflateRaw);
const unpackAside = promisify<Buffer, Buffer>(inflateRaw);

export type AnswerCacheOptions = {
  readonly handling: (tenantId: string) => Soon<Handling>;
};

export function makeAnswerCache({ handling }: AnswerCacheOptions): AnswerCache {
  const store = makeAnswerStore();
  const counts = new Map<string, Map<string, Counts>>();

  function countsOf(tenantId: string, server: string): Counts {
    const ofTenant = counts.get(tenantId) ?? new Map<string, Counts>();
    counts.set(tenantId, ofTenant);
    const found = ofTenant.get(server) ?? { hits: 0, misses: 0 };
    ofTenant.set(server, found);
    return found;
  }

  function placeFor(grant: Grant, args: Json, ttl: number, revision: string): CachePlace {
    const { server } = grant;
    const key = keyOf(grant, args, ttl, revision);
    const generation = store.generation(server.tenantId);
    return {
      async get() {
        const count = countsOf(server.tenantId, server.slug);
        const found = await store.get(key);
        if (found === null) count.misses += 1;
        else count.hits += 1;
        return found;
      },
      put: (answer) => {
        const warn = (cause: unknown) => logger.warn({ err: cause }, "an answer was not kept");
        store.put(key, ttl, generation, grant, answer).catch(warn);
      },
    };
  }

  return {
    of(grant, args) {
      const { server, tool } = grant;
      if (tool.definition.annotations?.readOnlyHint !== true) return null;
      return soon(handling(server.tenantId), (rules) => {
        const rule = rules.get(server.id);
        const ttl = rule?.cacheTtlMs.get(tool.definition.name);
        return rule === undefined || ttl === undefined ? null : placeFor(grant, args, ttl, rule.revision);
      });
    },
    views(tenantId) {
      const views = new Map<string, CacheView>();
      for (const [server, { hits, misses }] of counts.get(tenantId) ?? []) {
        views.set(server, { hits, misses, ...store.held(tenantId, server) });
      }
      return views;
    },
    close: store.close,
  };
}

/** The answers themselves: bounded in all and per tenant, packed, and gone when what they rest on changes. */
function makeAnswerStore() {
  const perTenant = new Map<string, number>();
  /** Raised with every change, so that an answer asked for before it is not kept after it. */
  const generations = new Map<string, number>();
  const kept = new LRUCache<string, Kept>({
    maxSize: MAX_TOTAL_BYTES,
    sizeCalculation: ({ size }) => size,
    dispose: ({ tenantId, size }) => {
      const left = (perTenant.get(tenantId) ?? 0) - size;
      if (left <= 0) perTenant.delete(tenantId);
      else perTenant.set(tenantId, left);
    },
  });
  const generation = (tenantId: string): number => generations.get(tenantId) ?? 0;

  const unsubscribe = bus.subscribe((message) => {
    const { topic } = message;
    if (topic !== "server.changed" && topic !== "kill_switch.changed") return;
    const { tenantId } = message;
    generations.set(tenantId, generation(tenantId) + 1);
    for (const [key, value] of kept.entries()) {
      const concerned = topic === "kill_switch.changed" || value.serverId === message.serverId;
      if (value.tenantId === tenantId && concerned) kept.delete(key);
    }
  });

  /** What has expired counts until it is taken out, and nobody may ever ask for it again. Then the least used have to go. */
  function makeRoom(tenantId: string, size: number): void {
    const isFull = () => (perTenant.get(tenantId) ?? 0) + size > MAX_TENANT_BYTES;
    if (isFull()) kept.purgeStale();
    if (!isFull()) return;
    for (const key of kept.rkeys()) {
      if (kept.peek(key)?.tenantId === tenantId) kept.delete(key);
      if (!isFull()) return;
    }
  }

  return {
    generation,
    async put(key: string, ttl: number, since: number, grant: Grant, answer: UpstreamAnswer): Promise<void> {
      if (!isWorthKeeping(answer)) return;
      const { tenantId, id: serverId, slug: server } = grant.server;
      const plain = plainOf(answer);
      if (plain.length > MAX_ANSWER_BYTES) return;
      const body = await pack(plain);
      if (since !== generation(tenantId)) return;
      const parts = partsOf(answer);
      const size = body.length + BOOKKEEPING_BYTES + (parts === null ? 0 : sizeBeside(parts));
      kept.delete(key);
      makeRoom(tenantId, size);
      perTenant.set(tenantId, (perTenant.get(tenantId) ?? 0) + size);
      const { bytes } = answer;
      kept.set(key, { tenantId, server, serverId, bytes, plainBytes: plain.length, size, body, parts }, { ttl });
    },
    async get(key: string): Promise<UpstreamAnswer | null> {
      const found = kept.get(key);
      if (found === undefined) return null;
      const plain = await unpack(found);
      const { bytes, parts } = found;
      if (parts === null) return { result: JSON.parse(plain.toString("utf8")) as Json, bytes };
      return { result: parts.head, bytes, large: { ...parts.rest, pieces: [new Uint8Array(plain)] } };
    },
    held(tenantId: string, server: string): Pick<CacheView, "entries" | "bytes"> {
      let [entries, bytes] = [0, 0];
      for (const value of kept.values()) {
        if (value.tenantId !== tenantId || value.server !== server) continue;
        entries += 1;
        bytes += value.body.length;
      }
      return { entries, bytes };
    },
    close() {
      unsubscribe();
      kept.clear();
    },
  };
}

/** What a tool says went wrong may be right a moment later; half an answer means that the server wants to know more from this caller. */
function isWorthKeeping({ result, bytes }: UpstreamAnswer): boolean {
  const { isError, resultType } = result;
  return isError !== true && (resultType === undefined || resultType === "complete") && bytes <= MAX_ANSWER_BYTES;
}

const plainOf = ({ result, large }: UpstreamAnswer): Buffer =>
  large === undefined ? Buffer.from(JSON.stringify(result)) : Buffer.concat(large.pieces);

function partsOf({ result, large }: UpstreamAnswer): Parts | null {
  if (large === undefined) return null;
  const { digest, uris, values } = large;
  return { head: result, rest: { digest, uris, values } };
}

const sizeBeside = ({ rest: { uris } }: Parts): number =>
  MAX_HEAD_BYTES + BYTES_PER_PLACE * (uris.contents.length + uris.links.length);

const pack = async (plain: Buffer): Promise<Buffer> => {
  if (plain.length <= PACK_FROM_BYTES) return plain;
  return plain.length <= PACK_AT_ONCE_BYTES ? deflateRawSync(plain) : packAside(plain);
};

const unpack = async ({ body, plainBytes }: Kept): Promise<Buffer> => {
  if (plainBytes <= PACK_FROM_BYTES) return body;
  return plainBytes <= PACK_AT_ONCE_BYTES ? inflateRawSync(body) : unpackAside(body);
};

/**
 * Another definition, address or credential of the server is another question, and so is another tenant's. What was
 * answered while the tool needed one permission is not given to those who hold another. What is announced drops answers at
 * once; the time they are kept for and the revision do so where the announcement is lost, or there is nobody to carry it.
 */
function keyOf({ server, tool, decision }: Grant, args: Json, ttl: number, revision: string): string {
  const { tenantId, id, version } = server;
  const digest = createHash("sha256").update(canonicalJson(args)).digest("base64url");
  const { name } = tool.definition;
  return JSON.stringify([tenantId, decision.needed, id, version, name, tool.sha256, ttl, revision, digest]);
}
