import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { afterAll, beforeAll, expect, it } from "vitest";
import { singleton } from "@/lib/core/singleton";
import { boot, shutdown } from "@/lib/gateway/boot";
import { upgradeDoor } from "@/lib/mcp/door/ws-mount";
import type { TestAgent } from "@/lib/testing/factories";
import { createWorld, openDoor, type World } from "@/lib/testing/gateway-world";
import { holdHead } from "@/lib/testing/hold-head";
import { openRawSocket, refusedHandshake } from "@/lib/testing/raw-socket";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

let world: World;
let door: Awaited<ReturnType<typeof openDoor>>;

beforeAll(async () => {
  await boot();
  world = await createWorld({});
  door = await openDoor("node");
});
afterAll(async () => {
  await door.close();
  await world.close();
  await shutdown();
});

/** Stands for a socket of some other agent: ten thousand real ones would be most of what this machine can hold. */
const standIn = (at: number) => ({
  identity: { actor: { id: `agent-${at}` } },
  header: () => null,
  lookAlive: () => undefined,
  drain: () => undefined,
  close: () => undefined,
  end: () => undefined,
});

it("takes no more than ten thousand sockets in a process, and says when to come back", async () => {
  const { key } = await world.agent();
  const headers = { authorization: `Bearer ${key}` };
  const first = await openRawSocket(`${door.url}/ws`, { headers });
  const { open } = singleton<{ open: Set<unknown> }>("mcp.sockets", () => ({ open: new Set() }));
  expect(open.size).toBe(1);
  const others = Array.from({ length: 9_999 }, (_, at) => standIn(at));
  for (const each of others) open.add(each);
  const refused = await refusedHandshake(`${door.url}/ws`, { headers });
  expect(refused).toMatchObject({ status: 503, body: { error: { data: { code: "overloaded" } } } });
  expect(refused.headers["retry-after"]).toBe("10");
  open.delete(others[0]);
  const last = await openRawSocket(`${door.url}/ws`, { headers });
  for (const each of others) open.delete(each);
  for (const { socket } of [first, last]) socket.terminate();
});

it("takes no more than 256 sockets of one agent, also while the trail keeps the first of them waiting", async () => {
  const [busy, other] = [await world.agent(), await world.agent()];
  /** Null for one that was refused. */
  const open = ({ key }: TestAgent) =>
    openRawSocket(`${door.url}/ws`, { headers: { authorization: `Bearer ${key}` } }).then(
      ({ socket }) => socket,
      () => null,
    );
  (await open(other))?.terminate();
  const letGo = await holdHead(world.tenant.tenantId);
  // The first ten of a minute are entries of their own.
  const first = Array.from({ length: 10 }, () => open(busy));
  await pause(500);
  const others = Array.from({ length: 256 }, () => open(busy));
  await pause(1_500);
  await letGo();
  const opened = (await Promise.all([...first, ...others])).filter((each) => each !== null);
  expect(opened).toHaveLength(256);
  // A place is free again once its socket is gone, and those that were refused hold none.
  opened.pop()?.terminate();
  const again = async () => {
    const socket = await open(busy);
    if (socket !== null) opened.push(socket);
    return socket !== null;
  };
  await expect.poll(again, { timeout: 10_000 }).toBe(true);
  for (const socket of opened) socket.terminate();
});

it.each(["/api/mcp/ws", "/api/mcp/nothing/here"])(
  "lets go of a connection whose handshake at %s it refused, though the other side holds it open",
  async (path) => {
    const server = createServer().on("upgrade", upgradeDoor).listen(0, "127.0.0.1");
    await once(server, "listening");
    const open = () => new Promise((resolve) => server.getConnections((_error, count) => resolve(count)));
    const client = connect({ port: (server.address() as AddressInfo).port, host: "127.0.0.1", allowHalfOpen: true });
    const answer = once(client, "data");
    client.on("error", () => undefined);
    const upgrade =
      "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: aGVsbG8=";
    client.write(`GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n${upgrade}\r\n\r\n`);
    expect(String((await answer)[0])).toMatch(/^HTTP\/1\.1 4/);
    await expect.poll(open, { timeout: 5_000 }).toBe(0);
    client.destroy();
    server.close();
  },
);
