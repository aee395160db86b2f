import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { closeEars, listenTo } from "@/lib/gateway/ears";
import type { GatewayDeps } from "@/lib/gateway/gateway-deps";
import type { ListenRequest, Notice } from "@/lib/mcp/upstream/protocol";
import type { RegisteredServer } from "@/lib/servers/registered-server";

beforeEach(() => vi.useFakeTimers());
afterEach(() => {
  closeEars();
  vi.useRealTimers();
});

const TOOLS: Notice = { method: "notifications/tools/list_changed", params: {} };
const LISTS = ["toolsListChanged", "promptsListChanged", "resourcesListChanged"];
const updated = (uri: string, version = 1): Notice => ({
  method: "notifications/resources/updated",
  params: { uri, version },
});

/** A server of the sessions era: it tells everything on its one stream, which the first listens to. */
function talkative() {
  const streams: ListenRequest[] = [];
  const upstream = {
    greet: async () => ({ era: "legacy" }),
    request: async () => ({ result: {}, bytes: 0 }),
    listen: (request: ListenRequest) => {
      streams.push(request);
      return new Promise(() => undefined);
    },
  };
  const is = { current: true };
  const upstreams = { of: () => upstream, isCurrent: async () => is.current };
  const gateway = { upstreams } as unknown as Pick<GatewayDeps, "upstreams">;
  const server = { id: "s", version: "v", slug: "talkative", deadlineMs: 1_000 } as RegisteredServer;
  const listen = (...uris: string[]) => {
    const heard: Notice[] = [];
    const end = listenTo(gateway, server, uris, (notice) => heard.push(notice));
    return { heard, end };
  };
  const say = async (...notices: Notice[]) => {
    for (const notice of notices) streams[0]?.onNotice(notice);
    await vi.advanceTimersByTimeAsync(25);
  };
  return { streams, listen, say, is };
}

describe("who listens to a server", () => {
  it("shares its stream, and hears of lists and of the resources that it follows", async () => {
    const { streams, listen, say } = talkative();
    const [one, other] = [listen("test://a"), listen()];
    await vi.advanceTimersByTimeAsync(0);
    expect(streams.map(({ filter }) => Object.keys(filter))).toEqual([LISTS, ["resourceSubscriptions"]]);
    await say(updated("test://a"), updated("test://b"), TOOLS, { method: "notifications/message", params: {} });
    expect(one.heard).toEqual([updated("test://a"), TOOLS]);
    expect(other.heard).toEqual([TOOLS]);
  });

  it("hears once what is said many times, as it was said last", async () => {
    const { listen, say } = talkative();
    const all = Array.from({ length: 100 }, () => listen("test://a"));
    await vi.advanceTimersByTimeAsync(0);
    await say(...Array.from({ length: 10_000 }, (_, nth) => updated("test://a", nth)), ...Array(10_000).fill(TOOLS));
    for (const { heard } of all) expect(heard).toEqual([updated("test://a", 9_999), TOOLS]);
    await say(updated("test://a", 2));
    expect(all[0]?.heard).toHaveLength(3);
  });

  it("hears nothing any more once it has stopped", async () => {
    const { listen, say } = talkative();
    const [one, other] = [listen("test://a"), listen("test://a")];
    await vi.advanceTimersByTimeAsync(0);
    one.end();
    await say(updated("test://a"), TOOLS);
    expect(one.heard).toEqual([]);
    expect(other.heard).toEqual([updated("test://a"), TOOLS]);
  });

  it("is not brought back to a server that may not be reached any more", async () => {
    const { streams, listen, is } = talkative();
    is.current = false;
    listen("test://a");
    await vi.advanceTimersByTimeAsync(60_000);
    expect(streams).toHaveLength(0);
    is.current = true;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(streams).toHaveLength(2);
  });
});
