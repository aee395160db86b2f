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

function open(): AnswerCache {
  const cacheTtlMs = new Map([
    ["read", 60_000],
    ["other", 60_000],
  ]);
  const kept = { retryPolicy: "off", cacheTtlMs } as const;
  const handling = new Map([
    ["s1", kept],
    ["s2", kept],
  ]);
  const cache = makeAnswerCache({ handling: async () => handling });
  caches.push(cache);
  return cache;
}

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

  it("never of a tool that may change something", async () => {
    expect(await open().of(grantOf({ readOnly: false }), {})).toBeNull();
  });
});
