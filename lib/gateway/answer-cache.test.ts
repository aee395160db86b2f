import { randomBytes } from "node:crypto";
import { afterEach, describe, expect, it } from "vitest";
import type { PermissionMap } from "@/lib/access/decide";
import { type AnswerCache, makeAnswerCache } from "@/lib/gateway/answer-cache";
import { authorize, type Grant } from "@/lib/gateway/authorize";
import type { Identity } from "@/lib/gateway/identity";
import type { Json } from "@/lib/mcp/upstream/protocol";
import type { RegisteredServer } from "@/lib/servers/registered-server";

const PLACE = {
  tenantId: "t1",
  id: "s1",
  version: "v1",
  sha256: "d1",
  tool: "read",
  needed: "files:read",
  readOnly: true,
};
type Place = typeof PLACE;

/** A grant as the road makes one, for a caller that holds everything. */
function grantOf(change: Partial<Place> = {}): Grant {
  const { tenantId, id, version, sha256, tool, needed, readOnly } = { ...PLACE, ...change };
  const map: PermissionMap = { version: 1, sha256: "m", get: () => needed };
  const definition = { name: tool, inputSchema: {}, annotations: { readOnlyHint: readOnly } };
  const server = { tenantId, id, version, slug: "files", tools: new Map([[tool, { definition, sha256 }]]) };
  const servers = new Map([["files", server as unknown as RegisteredServer]]);
  const identity = { tenantId, permissions: new Set([needed]), actor: { type: "agent" } } as unknown as Identity;
  return authorize(identity, map, servers, { server: "files", tool });
}

const caches: AnswerCache[] = [];
afterEach(() => {
  for (const cache of caches.splice(0)) cache.close();
});

function open(ttlMs = 60_000): AnswerCache {
  const cacheTtlMs = new Map([
    ["read", ttlMs],
    ["other", ttlMs],
  ]);
  const kept = { retryPolicy: "off", cacheTtlMs, revision: "1" } as const;
  const handling = new Map([
    ["s1", kept],
    ["s2", kept],
  ]);
  const cache = makeAnswerCache({ handling: async () => handling });
  caches.push(cache);
  return cache;
}

const heldBy = (cache: AnswerCache): number => cache.views("t1").get("files")?.bytes ?? 0;

const ANSWER = { content: [{ type: "text", text: "secret" }] };
/** What is given again for a question after another was answered; null for nothing. */
async function givenAfter(answer: Json, asked: Grant = grantOf(), args: Json = { a: 1 }): Promise<Json | null> {
  const cache = open();
  (await cache.of(grantOf(), { a: 1 }))?.put({ result: answer, bytes: 10 });
  // Keeping is not waited for, but needs nothing from outside for an answer this small.
  await new Promise((resolve) => setImmediate(resolve));
  return (await (await cache.of(asked, args))?.get())?.result ?? null;
}

describe("an answer is given again", () => {
  it.each<[string, Json]>([
    ["plain", ANSWER],
    ["complete", { ...ANSWER, resultType: "complete" }],
    ["not an error", { ...ANSWER, isError: false }],
  ])("when it is %s", async (_, answer) => expect(await givenAfter(answer)).toEqual(answer));

  it.each<[string, Json]>([
    ["asks for input", { resultType: "input_required", inputRequests: {}, requestState: "x" }],
    ["is of a kind that we do not know", { ...ANSWER, resultType: "task" }],
    ["is an error", { ...ANSWER, isError: true }],
    ["is larger than we keep", { content: [{ type: "text", text: "x".repeat(1024 * 1024) }] }],
  ])("never when it %s", async (_, answer) => expect(await givenAfter(answer)).toBeNull());

  it.each<[string, Partial<Place>]>([
    ["another tenant", { tenantId: "t2" }],
    ["another permission", { needed: "files:secret" }],
    ["another server", { id: "s2" }],
    ["another address or credential", { version: "v2" }],
    ["another tool", { tool: "other" }],
    ["another definition", { sha256: "d2" }],
  ])("never to a question of %s", async (_, change) => expect(await givenAfter(ANSWER, grantOf(change))).toBeNull());

  it("never for other arguments, and for the same in any order", async () => {
    expect(await givenAfter(ANSWER, grantOf(), { a: 2 })).toBeNull();
    expect(await givenAfter(ANSWER, grantOf(), { a: 1, b: 2 })).toBeNull();
  });

  it.each([
    ["have expired, and nobody asks for them any more", 5_000],
    ["have not: the least used go", 60_000],
  ])("also where a tenant's share is full of others that %s", { timeout: 60_000 }, async (_, ttlMs) => {
    const cache = open(ttlMs);
    const place = async (nth: number) => await cache.of(grantOf(), { nth });
    const put = async (nth: number) => {
      const text = randomBytes(400_000).toString("hex");
      (await place(nth))?.put({ result: { content: [{ type: "text", text }] }, bytes: text.length });
    };
    // Figures are told of servers that somebody has asked.
    expect(await (await place(0))?.get()).toBeNull();
    // Packed, each takes a good 400 KB of 16 MB.
    await Promise.all(Array.from({ length: 50 }, (__, nth) => put(nth)));
    const isKept = async (nth: number) => ((await (await place(nth))?.get()) ?? null) !== null;
    await expect.poll(() => heldBy(cache), { timeout: 20_000 }).toBeGreaterThan(15_000_000);
    if (ttlMs < 60_000) await expect.poll(() => heldBy(cache), { timeout: 20_000 }).toBe(0);
    for (const nth of [50, 51]) {
      await put(nth);
      await expect.poll(() => isKept(nth), { interval: 5 }).toBe(true);
    }
    expect(await isKept(50)).toBe(true);
    expect(heldBy(cache)).toBeLessThanOrEqual(16 * 1024 * 1024);
  });

  it("never of a tool that may change something", async () => {
    expect(await open().of(grantOf({ readOnly: false }), {})).toBeNull();
  });
});
