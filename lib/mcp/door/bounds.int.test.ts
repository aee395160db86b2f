import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { boot, shutdown } from "@/lib/gateway/boot";
import { createWorld, type Mount, openDoor, type World } from "@/lib/testing/gateway-world";

let world: World;
beforeAll(async () => {
  await boot();
  world = await createWorld({ files: { tools: ["read"], map: { read: "files:read" }, deadlineMs: 10_000 } });
});
afterAll(async () => {
  await world.close();
  await shutdown();
});

const textOf = (value: unknown) => JSON.stringify(value);
const nested = (levels: number) => `${"[".repeat(levels)}1${"]".repeat(levels)}`;

describe.each<Mount>(["node", "web"])("a message of an agent, mounted by %s", (mount) => {
  let door: Awaited<ReturnType<typeof openDoor>>;
  let key: string;
  beforeAll(async () => {
    door = await openDoor(mount);
    ({ key } = await world.agent("files:read"));
  });
  afterAll(() => door.close());

  async function call(args: string) {
    const response = await fetch(door.url, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
      body: `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"files__read","arguments":{"a":${args}}}}`,
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }
  const reached = () => world.upstreams.get("files")?.calls.length ?? 0;

  it("may be large, deep and made of many values", async () => {
    const before = reached();
    const many = textOf(Array.from({ length: 99_000 }, (_, nth) => nth % 10));
    for (const args of [textOf("x,[".repeat(1_000_000)), nested(50), many]) {
      expect((await call(args)).body).toMatchObject({ id: 7, result: { content: [{ type: "text" }] } });
    }
    expect(reached()).toBe(before + 3);
  });

  it.each([
    ["is too deep", nested(80), "at most 64 levels"],
    ["is made of too many values", textOf(Array.from({ length: 100_000 }, () => 1)), "at most 100000 values"],
  ])("is refused before it is read where it %s", async (_, args, rule) => {
    const before = reached();
    const { status, body } = await call(args);
    expect(status).toBe(400);
    expect(body["error"]).toMatchObject({ data: { code: "invalid_input", requestId: expect.any(String) } });
    expect(textOf(body)).toContain(rule);
    expect(reached()).toBe(before);
  });

  it("is refused with 413 where it is too large", async () => {
    expect(await call(textOf("x".repeat(4 * 1024 * 1024)))).toMatchObject({
      status: 413,
      body: { error: { data: { code: "payload_too_large" } } },
    });
  });
});
