import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newId } from "@/lib/core/ids";
import { connectBus } from "@/lib/db/redis-bus";
import { boot, shutdown } from "@/lib/gateway/boot";
import type { Identity } from "@/lib/gateway/identity";
import { checkSession, giveSession } from "@/lib/mcp/door/session-ids";
import { bundleServer, freePort, gone, startDoor } from "@/lib/testing/door-processes";
import type { TestAgent } from "@/lib/testing/factories";
import { createWorld, type Mount, openDoor, type World } from "@/lib/testing/gateway-world";
import { readTrail } from "@/lib/testing/read-trail";
import { rpc } from "@/lib/testing/rpc";
import { testRedisUrl } from "@/lib/testing/test-redis";

const HELLO = {
  protocolVersion: "2025-11-25",
  capabilities: { sampling: {} },
  clientInfo: { name: "t", version: "1" },
};
const DAY_MS = 24 * 60 * 60_000;

let world: World;
beforeAll(async () => {
  await boot();
  world = await createWorld({ files: { tools: ["read"], map: { read: "files:read" }, deadlineMs: 60_000 } });
});
afterAll(async () => {
  await world.close();
  await shutdown();
});

/** One agent at one door, as a client of the sessions era. */
function clientOf(url: string, { key }: TestAgent) {
  const within = (session: string | null) => (session === null ? {} : { "mcp-session-id": session });
  const say = (session: string | null, method: string, params: object = {}, id: number | null = 1) =>
    rpc(url, method, params as Record<string, unknown>, { era: "legacy", key, headers: within(session), id });
  const bare = (session: string, method: "GET" | "DELETE", signal?: AbortSignal) =>
    fetch(url, {
      method,
      headers: { authorization: `Bearer ${key}`, accept: "text/event-stream", ...within(session) },
      ...(signal === undefined ? {} : { signal }),
    });
  return {
    say,
    bare,
    begin: async () => (await say(null, "initialize", HELLO)).headers.get("mcp-session-id") ?? "",
    end: async (session: string) => (await bare(session, "DELETE")).status,
    answer: (session: string) =>
      fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${key}`, ...within(session) },
        body: JSON.stringify({ jsonrpc: "2.0", id: "cs-none", result: {} }),
      }),
  };
}

describe.each<Mount>(["node", "web"])("a session, mounted by %s", (mount) => {
  let door: Awaited<ReturnType<typeof openDoor>>;
  beforeAll(async () => {
    door = await openDoor(mount);
  });
  afterAll(() => door.close());

  it("is not there any more for anything once its client has ended it, and another one is", async () => {
    const client = clientOf(door.url, await world.agent("files:read"));
    const [session, other] = [await client.begin(), await client.begin()];
    expect((await client.say(session, "tools/list")).status).toBe(200);
    expect(await client.end(session)).toBe(204);
    const refused = await client.say(session, "tools/list");
    expect(refused.status).toBe(404);
    expect(refused.body).toMatchObject({ id: 1, error: { data: { code: "not_found", entry: expect.any(String) } } });
    expect((await client.say(session, "ping")).status).toBe(404);
    expect((await client.say(session, "notifications/initialized", {}, null)).status).toBe(404);
    expect((await client.answer(session)).status).toBe(404);
    expect((await client.bare(session, "GET")).status).toBe(404);
    expect(await client.end(session)).toBe(404);
    const anew = await client.say(session, "initialize", HELLO);
    expect(anew.status).toBe(200);
    // The controls: sessions that nobody ended, and none at all.
    for (const alive of [other, anew.headers.get("mcp-session-id"), null])
      expect((await client.say(alive, "tools/list")).status).toBe(200);
    // Heard, though it answers nothing that was asked.
    expect((await client.answer(other)).status).toBe(400);
    const ends = (await readTrail(world.tenant.tenantId)).filter(({ type }) => type === "connection.closed");
    expect(ends.length).toBeGreaterThan(0);
  });

  it("takes its calls and its stream with it, and no others", async () => {
    const client = clientOf(door.url, await world.agent("files:read"));
    const [session, other] = [await client.begin(), await client.begin()];
    const over = new AbortController();
    const [stream, kept] = [await client.bare(session, "GET"), await client.bare(other, "GET", over.signal)];
    let open = true;
    const ended = kept.text().then(
      () => (open = false),
      () => undefined,
    );
    const upstream = world.upstreams.get("files");
    const begun = upstream?.calls.length ?? 0;
    upstream?.setFault("hang");
    const asked = () => upstream?.requests.filter(({ method }) => method === "tools/call").length ?? 0;
    const before = asked();
    const call = (each: string) => client.say(each, "tools/call", { name: "files__read", arguments: {} });
    const [cancelled, running] = [call(session), call(other)];
    let answered = false;
    void running.then(() => (answered = true));
    await expect.poll(asked, { timeout: 20_000 }).toBe(before + 2);
    expect(await client.end(session)).toBe(204);
    expect((await cancelled).body.error.data.code).toBe("cancelled");
    expect(await stream.text()).not.toContain("event: message");
    expect([answered, open]).toEqual([false, true]);
    expect(upstream?.calls.length).toBe(begun);
    expect(await client.end(other)).toBe(204);
    expect((await running).body.error.data.code).toBe("cancelled");
    over.abort();
    await ended;
    upstream?.setFault("none");
  }, 120_000);

  it("serves the agent it was given to, as it was given", async () => {
    const [mine, theirs] = [await world.agent("files:read"), await world.agent("files:read")];
    const client = clientOf(door.url, mine);
    const session = await client.begin();
    const [uuid, letters, seal] = session.split(".");
    expect(letters).toBe("s");
    const forged = [`${uuid}.se.${seal}`, `${newId()}.s.${seal}`, `${uuid}.s.${"A".repeat(22)}`, `${uuid}`, "x"];
    for (const each of forged) {
      expect([each, (await client.say(each, "tools/list")).status]).toEqual([each, 404]);
      expect([each, await client.end(each)]).toEqual([each, 404]);
    }
    expect((await clientOf(door.url, theirs).say(session, "tools/list")).status).toBe(404);
    expect(await clientOf(door.url, theirs).end(session)).toBe(404);
    expect((await client.say(session, "tools/list")).status).toBe(200);
    const reply = await fetch(door.url, { method: "DELETE", headers: { authorization: `Bearer ${mine.key}` } });
    expect(reply.status).toBe(400);
    expect((await reply.json()).error.data.issues[0].path).toBe("header.Mcp-Session-Id");
  });

  it.each(["modern", "legacy"] as const)("answers a %s client in the shape that it names first", async (era) => {
    const { key } = await world.agent("files:read");
    const shape = async (accept: string, method = "tools/list") => {
      const { status, headers, text } = await rpc(door.url, method, {}, { era, key, headers: { accept } });
      return { status, type: headers.get("content-type"), buffering: headers.get("x-accel-buffering"), text };
    };
    const stream = await shape("text/event-stream, application/json");
    expect(stream).toMatchObject({ status: 200, type: "text/event-stream", buffering: "no" });
    const events = stream.text.split("\n\n").filter((each) => each !== "");
    expect(events).toHaveLength(1);
    const message = JSON.parse(/^data: (.*)$/m.exec(events[0] ?? "")?.[1] ?? "");
    expect(message.result.tools.map(({ name }: { name: string }) => name)).toEqual(["files__read"]);
    for (const accept of ["application/json, text/event-stream", "application/json", "*/*"]) {
      const plain = await shape(accept);
      expect(plain).toMatchObject({ status: 200, type: "application/json", buffering: null });
      expect(JSON.parse(plain.text).result.tools).toHaveLength(1);
    }
  });
});

it("is over after seven days", async () => {
  const actor = { type: "agent", id: newId(), name: "a" } as const;
  const identity = { tenantId: world.tenant.tenantId, actor } as Identity;
  const session = giveSession(identity, "", "2025-11-25");
  await checkSession(identity, session, Date.now() + 6.9 * DAY_MS);
  await expect(checkSession(identity, session, Date.now() + 7.1 * DAY_MS)).rejects.toMatchObject({ code: "not_found" });
});

it("is ended and served by any process, with nothing but the database between them", async () => {
  const door = await openDoor("node");
  const { entry, remove } = await bundleServer();
  const port = await freePort();
  const child = await startDoor(entry, port, { env: { REDIS_URL: "" } });
  try {
    const agent = await world.agent("files:read");
    const [here, there] = [clientOf(door.url, agent), clientOf(`http://127.0.0.1:${port}/api/mcp`, agent)];
    const [one, two] = [await here.begin(), await here.begin()];
    for (const session of [one, two]) expect((await there.say(session, "tools/list")).status).toBe(200);
    expect(await there.end(one)).toBe(204);
    expect(await here.end(two)).toBe(204);
    // Each learns of the other's at the latest when it reads again, two seconds later; a busy machine takes longer.
    const status = (client: typeof here, session: string) => async () => (await client.say(session, "ping")).status;
    await expect.poll(status(here, one), { timeout: 30_000 }).toBe(404);
    await expect.poll(status(there, two), { timeout: 30_000 }).toBe(404);
  } finally {
    child.kill("SIGTERM");
    await gone(child);
    remove();
    await door.close();
  }
}, 180_000);

const redisUrl = testRedisUrl ?? "";
it.skipIf(redisUrl === "")(
  "takes its stream in another process with it, where they share a Redis",
  async () => {
    const leaveBus = await connectBus(redisUrl);
    const door = await openDoor("node");
    const { entry, remove } = await bundleServer();
    const port = await freePort();
    const child = await startDoor(entry, port, { env: { REDIS_URL: redisUrl } });
    try {
      const agent = await world.agent("files:read");
      const [here, there] = [clientOf(door.url, agent), clientOf(`http://127.0.0.1:${port}/api/mcp`, agent)];
      const over = new AbortController();
      const kept = await there.bare(await here.begin(), "GET", over.signal);
      const state = { keptEnded: false };
      const keptDone = kept.text().then(
        () => (state.keptEnded = true),
        () => undefined,
      );
      /** Whether a stream there ends with its session here. By itself it would stay open for five minutes. */
      const ends = async () => {
        const session = await here.begin();
        const left = new AbortController();
        const stream = await there.bare(session, "GET", left.signal);
        const ended = stream.text().then(
          () => !left.signal.aborted,
          () => false,
        );
        expect(await here.end(session)).toBe(204);
        const timer = setTimeout(() => left.abort(), 5_000);
        return ended.finally(() => clearTimeout(timer));
      };
      // The other process may still be on its way to Redis: what was said before is not said again.
      await expect.poll(ends, { timeout: 60_000 }).toBe(true);
      expect(state.keptEnded).toBe(false);
      over.abort();
      await keptDone;
    } finally {
      child.kill("SIGTERM");
      await gone(child);
      remove();
      await door.close();
      await leaveBus();
    }
  },
  180_000,
);
