import { afterEach, expect, it } from "vitest";
import type { PermissionMap } from "@/lib/access/decide";
import { closeEars } from "@/lib/gateway/ears";
import { announce } from "@/lib/mcp/door/announcements";
import type { Visit } from "@/lib/mcp/door/visit";
import type { ListenRequest, Notice } from "@/lib/mcp/upstream/protocol";

afterEach(closeEars);

const settled = () => new Promise((resolve) => setTimeout(resolve, 20));
const needs = (permission: string) => ({ version: 1, sha256: "", get: () => permission }) as PermissionMap;
const updated: Notice = { method: "notifications/resources/updated", params: { uri: "test://a" } };

/** A caller whose permission map is given when a test gives it, and the server that it listens to. */
function visitor() {
  const asked: ((map: PermissionMap) => void)[] = [];
  const heard: Notice[] = [];
  const listening = new Set<ListenRequest>();
  const listen = (request: ListenRequest) =>
    new Promise<void>((resolve) => {
      listening.add(request);
      request.deadline.onStop(() => {
        listening.delete(request);
        resolve();
      });
    });
  const upstream = { greet: async () => ({ era: "modern" }), listen };
  const server = { tenantId: "t", id: "s", version: "1", slug: "files", tools: new Map(), deadlineMs: 1_000 };
  const gateway = {
    permissionMap: () => new Promise<PermissionMap>((resolve) => asked.push(resolve)),
    servers: () => new Map([["files", server]]),
    killSwitches: () => ({ size: 0, stops: () => null }),
    inFlight: { enter: () => () => undefined },
    upstreams: { of: () => upstream, isCurrent: async () => true },
  };
  const identity = {
    tenantId: "t",
    permissions: new Set(["files:read"]),
    actor: { type: "agent", id: "a", name: "a" },
  };
  const places = [{ server: "files", name: "test://a" }];
  const wanted = () => ({ tools: true, prompts: true, resources: true, places });
  const visit = { gateway, identity, server: null } as unknown as Visit;
  const announcing = announce(visit, wanted, { tell: (notice) => heard.push(notice), onLost: () => undefined });
  const say = async () => {
    for (const { filter, onNotice } of listening) if ("resourceSubscriptions" in filter) onNotice(updated);
    await settled();
    await settled();
  };
  return { asked, heard, announcing, say };
}

it("ends with what was decided last, even if an older decision takes longer", async () => {
  const { asked, heard, announcing, say } = visitor();
  await settled();
  announcing.again();
  await settled();
  const [older, newer] = [needs("files:read"), needs("admin:*")];
  // Whoever asks the second time is answered first, unless they wait for the first answer.
  asked[1]?.(newer);
  asked[0]?.(older);
  await settled();
  asked[1]?.(newer);
  await settled();
  await say();
  expect(heard).toEqual([]);
  announcing.again();
  await settled();
  asked[2]?.(older);
  await settled();
  await say();
  expect(heard).toHaveLength(1);
  announcing.end();
  await say();
  expect(heard).toHaveLength(1);
});
