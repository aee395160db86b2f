import { afterAll, beforeAll, expect, it } from "vitest";
import { platformSql } from "@/lib/db/sql";
import { boot, shutdown } from "@/lib/gateway/boot";
import { createWorld, openDoor, type World } from "@/lib/testing/gateway-world";
import { rpc } from "@/lib/testing/rpc";
import { openSilenceableWay } from "@/lib/testing/silenceable-way";

const ERROR = "dev.countersign/error";
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

let way: Awaited<ReturnType<typeof openSilenceableWay>>;
let door: Awaited<ReturnType<typeof openDoor>>;
let world: World;
beforeAll(async () => {
  way = await openSilenceableWay();
  await boot();
  door = await openDoor("node");
  world = await createWorld({ work: { tools: ["do"], map: { do: "w:do" } } });
});
afterAll(async () => {
  await door.close();
  await world.close();
  await shutdown();
  way.close();
});

it("refuses calls within seconds while the database says nothing at all, and serves them when it speaks again", async () => {
  const { key } = await world.agent("w:do");
  const received = () => world.upstreams.get("work")?.calls.length ?? 0;
  const call = async (): Promise<string> => {
    const { body } = await rpc(door.url, "tools/call", { name: "work__do", arguments: {} }, { key });
    return body.result?._meta?.[ERROR]?.code ?? body.error?.data?.code ?? "ok";
  };
  expect(await call()).toBe("ok");
  // As on a busy day: connections enough, so that nobody has to open one to notice.
  await Promise.all(Array.from({ length: 20 }, () => platformSql((client) => client.query("select pg_sleep(0.2)"))));
  way.fallSilent(true);
  // What was read before is too old by then.
  await pause(2_500);
  const at = performance.now();
  const codes = await Promise.race([Promise.all([call(), call(), call()]), pause(20_000).then(() => "no answer")]);
  const tookMs = performance.now() - at;
  way.fallSilent(false);
  expect(codes).toEqual(Array(3).fill("audit_unavailable"));
  expect(tookMs).toBeLessThan(14_000);
  expect(received()).toBe(1);
  await expect.poll(call, { timeout: 30_000, interval: 500 }).toBe("ok");
}, 90_000);
