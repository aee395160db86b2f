import { afterEach, expect, it, vi } from "vitest";
import { bus } from "@/lib/core/bus";
import { makeUpstreams, type Upstreams } from "@/lib/gateway/upstreams";
import { makeUpstreamPolicy } from "@/lib/mcp/upstream/policy";
import type { RegisteredServer } from "@/lib/servers/registered-server";

const [TENANT, DEADLINE_MS] = ["t1", 5_000];

const version = (name: string, tenantId = TENANT): RegisteredServer =>
  ({
    ...{ tenantId, id: `server-of-${tenantId}`, slug: "files", version: name, deadlineMs: DEADLINE_MS, poolSize: 0 },
    endpoint: { transport: "http", url: "http://127.0.0.1:9/mcp" },
    pool: { maxChildren: 1 },
  }) as RegisteredServer;

let upstreams: Upstreams;
let enabled: RegisteredServer[];

function start(...servers: RegisteredServer[]): void {
  enabled = servers;
  vi.useFakeTimers();
  upstreams = makeUpstreams({ policy: makeUpstreamPolicy({ allowLoopback: true }), current: async () => enabled });
}
afterEach(async () => {
  await upstreams.close();
  vi.useRealTimers();
});

it("goes on with a newer version while others still call the older one, and closes that when it is known to be over", async () => {
  const [older, newer] = [version("1"), version("2")];
  start(older);
  const [first, second] = [upstreams.of(older), upstreams.of(newer)];
  const closed = [vi.spyOn(first, "close"), vi.spyOn(second, "close")].map((spy) => () => spy.mock.calls.length);
  enabled = [newer];
  for (let turn = 0; turn < 3; turn += 1) {
    expect(upstreams.of(older)).toBe(first);
    expect(upstreams.of(newer)).toBe(second);
  }
  await vi.advanceTimersByTimeAsync(1_000);
  expect(closed.map((times) => times())).toEqual([0, 0]);
  await vi.advanceTimersByTimeAsync(DEADLINE_MS);
  expect(closed.map((times) => times())).toEqual([1, 0]);
  expect(upstreams.of(newer)).toBe(second);
});

it("gives a late call of an older version the connections it had, as long as they last, and closes them once", async () => {
  const [older, newer] = [version("1"), version("2")];
  start(older);
  const first = upstreams.of(older);
  const close = vi.spyOn(first, "close");
  enabled = [newer];
  for (let change = 0; change < 3; change += 1) {
    bus.publish({ topic: "server.changed", tenantId: TENANT, serverId: older.id });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(upstreams.of(older)).toBe(first);
    upstreams.of(newer);
  }
  await vi.advanceTimersByTimeAsync(DEADLINE_MS);
  expect(close).toHaveBeenCalledTimes(1);
  expect(upstreams.of(older)).not.toBe(first);
});

it("ends those that are leaving when it is closed itself", async () => {
  const [older, newer] = [version("1"), version("2")];
  start(older);
  const close = vi.spyOn(upstreams.of(older), "close");
  upstreams.of(newer);
  enabled = [newer];
  await vi.advanceTimersByTimeAsync(1_000);
  expect(close).not.toHaveBeenCalled();
  await upstreams.close();
  expect(close).toHaveBeenCalledTimes(1);
});

it("keeps the connections of a version that is in force again", async () => {
  const [older, newer] = [version("1"), version("2")];
  start(older);
  const first = upstreams.of(older);
  const close = vi.spyOn(first, "close");
  for (const inForce of [newer, older]) {
    enabled = [inForce];
    bus.publish({ topic: "server.changed", tenantId: TENANT, serverId: older.id });
    await vi.advanceTimersByTimeAsync(1_000);
  }
  await vi.advanceTimersByTimeAsync(2 * DEADLINE_MS);
  expect(close).not.toHaveBeenCalled();
  expect(upstreams.of(older)).toBe(first);
});

it("closes what was opened to a server that nobody may reach any more", async () => {
  const gone = version("1");
  start();
  const close = vi.spyOn(upstreams.of(gone), "close");
  await vi.advanceTimersByTimeAsync(1_000);
  expect(close).toHaveBeenCalledTimes(1);
});

it("closes a server that is gone at once, and leaves other tenants' alone", async () => {
  const [mine, theirs] = [version("1"), version("1", "t2")];
  start(mine, theirs);
  const [first, second] = [upstreams.of(mine), upstreams.of(theirs)];
  const closed = [vi.spyOn(first, "close"), vi.spyOn(second, "close")].map((spy) => () => spy.mock.calls.length);
  enabled = [theirs];
  bus.publish({ topic: "server.changed", tenantId: TENANT, serverId: mine.id });
  await vi.advanceTimersByTimeAsync(1_000);
  expect(closed.map((times) => times())).toEqual([1, 0]);
  expect(await upstreams.isCurrent(mine)).toBe(false);
});

it("knows which way to a server is in force", async () => {
  start(version("2"));
  expect(await Promise.all([version("1"), version("2")].map(upstreams.isCurrent))).toEqual([false, true]);
});

it("closes what nobody used for a while, where it is told to, and opens it again when somebody does", async () => {
  const mine = version("1");
  start(mine);
  const capable = makeUpstreams({ policy: makeUpstreamPolicy({ allowLoopback: true }), idleMs: 60_000 });
  const [plain, first] = [upstreams.of(mine), capable.of(mine)];
  const closed = [vi.spyOn(plain, "close"), vi.spyOn(first, "close")].map((spy) => () => spy.mock.calls.length);
  for (let turn = 0; turn < 3; turn += 1) {
    await vi.advanceTimersByTimeAsync(50_000);
    expect(capable.of(mine)).toBe(first);
  }
  await vi.advanceTimersByTimeAsync(90_000);
  expect(closed.map((times) => times())).toEqual([0, 1]);
  expect(capable.of(mine)).not.toBe(first);
  await capable.close();
});
