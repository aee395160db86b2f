import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { encode } from "next-auth/jwt";
import { afterAll, beforeAll, expect, it } from "vitest";
import { walkTrail } from "@/lib/audit/verify-trail";
import { admitPerson } from "@/lib/auth/admit-person";
import { newId } from "@/lib/core/ids";
import { processSecrets } from "@/lib/db/process-secrets";
import { platformSql, tenantSql } from "@/lib/db/sql";
import { baseUrl } from "@/lib/env";
import { boot, shutdown } from "@/lib/gateway/boot";
import { type RouteHandler, route } from "@/lib/http/route";
import { serveWithoutPages } from "@/lib/http/serve-without-pages";
import { createRole } from "@/lib/members/change-role";
import { listMembers } from "@/lib/members/read";
import { entriesOf } from "@/lib/testing/entries";
import { createWorld, openDoor, type World } from "@/lib/testing/gateway-world";
import { rpc } from "@/lib/testing/rpc";
import { openSilenceableWay } from "@/lib/testing/silenceable-way";

const ERROR = "dev.countersign/error";
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

let way: Awaited<ReturnType<typeof openSilenceableWay>>;
let door: Awaited<ReturnType<typeof openDoor>>;
let probes: Server;
let world: World;
let beginSilence = (): void => undefined;
const silence = new Promise<void>((resolve) => {
  beginSilence = resolve;
});
beforeAll(async () => {
  way = await openSilenceableWay();
  await boot();
  door = await openDoor("node");
  probes = createServer((request, response) => void serveWithoutPages(request, response));
  await new Promise<void>((resolve) => probes.listen(0, "127.0.0.1", resolve));
  world = await createWorld({
    work: { tools: ["do"], map: { do: "w:do" } },
    // Answers when the database has fallen silent.
    late: { tools: ["do"], map: { do: "w:do" }, slowUntil: () => silence, deadlineMs: 30_000 },
  });
});
afterAll(async () => {
  probes.close();
  await door.close();
  await world.close();
  await shutdown();
  way.close();
});

/** What a person's browser sends, and what it is answered: status, code, and whether the answer names its request. */
async function makePerson() {
  const { email } = world.tenant.admin;
  const person = { ...{ provider: "oidc", issuer: "https://i.test", subject: newId(), email }, claimedEmail: email };
  const admission = await admitPerson({ ...person, name: "A" }, {});
  if (!admission.ok) throw new Error(admission.reason);
  const token = await encode({ token: { sid: admission.sessionId }, secret: processSecrets().nextAuthSecret });
  const headers = { cookie: `countersign.session=${token}`, origin: baseUrl(), "x-tenant": world.tenant.slug };
  return async (handler: RouteHandler, body?: object): Promise<string> => {
    const sent = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
    const asked = new Request(`${baseUrl()}/api/v1/x`, {
      headers: { ...headers, "content-type": "application/json" },
      ...sent,
    });
    const answer = await handler(asked, { params: Promise.resolve({}) });
    const { code = "ok", requestId } = (await answer.json()) as { code?: string; requestId?: string };
    return `${answer.status} ${code}${code !== "ok" && requestId !== answer.headers.get("x-request-id") ? " of no request" : ""}`;
  };
}

/** The agent's calls, the person's reads and writes, the probe, and what they are answered. */
async function makeEverybody() {
  const { key } = await world.agent("w:do");
  const person = await makePerson();
  const { port } = probes.address() as AddressInfo;
  return {
    call: async (name = "work__do"): Promise<string> => {
      const { body } = await rpc(door.url, "tools/call", { name, arguments: {} }, { key });
      return body.result?._meta?.[ERROR]?.code ?? body.error?.data?.code ?? "ok";
    },
    read: () => person(route(listMembers)),
    write: (slug: string) => person(route(createRole), { slug, name: "R", permissions: ["files:read"] }),
    ready: async (): Promise<string> => {
      const answer = await fetch(`http://127.0.0.1:${port}/readyz`);
      const { reasons } = (await answer.json()) as { reasons: { check: string }[] };
      return [answer.status, ...reasons.map(({ check }) => check)].join(" ");
    },
  };
}

/** The session by which others know that this process lives. */
async function lockHolder(): Promise<unknown> {
  const sql =
    "select pid from pg_locks where locktype = 'advisory' and granted and objsubid = 1 and database = (select oid from pg_database where datname = current_database())";
  return (await platformSql((client) => client.query<{ pid: number }>(sql))).rows;
}

/** The answer, or that there was none in good time. */
const soon = <T>(answer: Promise<T>): Promise<T | "no answer"> =>
  Promise.race([answer, pause(20_000).then(() => "no answer" as const)]);

it("answers everybody within seconds while the database says nothing at all, and serves them when it speaks again", async () => {
  const { call, read, write, ready } = await makeEverybody();
  const received = (server = "work") => world.upstreams.get(server)?.calls.length ?? 0;
  expect(await Promise.all([call(), ready(), read(), write("before")])).toEqual(["ok", "200", "200 ok", "201 ok"]);
  // As on a busy day: connections enough, so that nobody has to open one to notice.
  await Promise.all(Array.from({ length: 20 }, () => platformSql((client) => client.query("select pg_sleep(0.2)"))));
  const holder = await lockHolder();
  expect(holder).toHaveLength(1);
  world.upstreams.get("late")?.setFault("slow");
  const underWay = soon(call("late__do"));
  const asked = () => world.upstreams.get("late")?.requests.filter(({ method }) => method === "tools/call").length;
  await expect.poll(asked, { timeout: 10_000 }).toBe(1);
  way.fallSilent(true);
  beginSilence();
  // What was read before is too old by then.
  await pause(2_500);
  const at = performance.now();
  const timed = async <T>(answer: Promise<T>) => [await soon(answer), performance.now() - at] as const;
  const probed = timed(ready());
  const [[calls, callsTookMs], people, unbounded] = await Promise.all([
    timed(Promise.all([call(), call(), call()])),
    Promise.all([soon(read()), soon(write("meanwhile")), soon(read())]),
    soon(tenantSql(world.tenant.tenantId, (client) => client.query("select 1")).catch(() => "refused")),
  ]);
  const later = await Promise.all([soon(read()), soon(ready())]);
  way.fallSilent(false);
  // Done, and not recorded in time: what came of it is in the trail later, and nobody was told.
  expect(await underWay).toBe("audit_unavailable");
  expect(calls).toEqual(Array(3).fill("audit_unavailable"));
  expect(people).toEqual(Array(3).fill("503 unavailable"));
  expect(unbounded).toBe("refused");
  expect(callsTookMs).toBeLessThan(14_000);
  expect(later).toEqual(["503 unavailable", expect.stringMatching(/^503 .*database/)]);
  const [probe, probeTookMs] = await probed;
  expect(probe).toMatch(/^503 .*database/);
  expect(probeTookMs).toBeLessThan(5_000);
  expect(received()).toBe(1);
  await expect.poll(() => call(), { timeout: 30_000, interval: 500 }).toBe("ok");
  await expect.poll(ready, { timeout: 30_000, interval: 500 }).toBe("200");
  expect(await Promise.all([read(), write("after")])).toEqual(["200 ok", "201 ok"]);
  const count = async (type: string) => (await entriesOf(world.tenant.tenantId, `tool_call.${type}`)).length;
  await expect.poll(() => count("answer_withheld"), { timeout: 15_000 }).toBe(1);
  const ended = async () => (await count("finished")) + (await count("lost"));
  await expect.poll(ended, { timeout: 15_000 }).toBe(await count("started"));
  expect(await count("finished")).toBeGreaterThanOrEqual(3);
  expect(received("late")).toBe(1);
  expect(await walkTrail(world.tenant.tenantId)).toMatchObject({ valid: true });
  // Given up, the lock would have let others take this process for dead.
  expect(await lockHolder()).toEqual(holder);
  // What nobody was told went well did not go well behind their backs.
  expect(await entriesOf(world.tenant.tenantId, "role.created")).toHaveLength(2);
}, 90_000);
