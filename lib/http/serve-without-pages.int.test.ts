import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { closeTrail } from "@/lib/audit/trail";
import { pool } from "@/lib/db/client";
import { serveWithoutPages } from "@/lib/http/serve-without-pages";
import { withTestDatabase } from "@/lib/testing/test-database";

withTestDatabase();

let server: Server;
const ask = (path: string, init?: RequestInit) =>
  fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`, init);

beforeAll(async () => {
  server = createServer((request, response) => void serveWithoutPages(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterAll(async () => {
  await closeTrail();
  await new Promise((resolve) => server.close(resolve));
});

describe("a process without pages", () => {
  it("tells that it is alive and ready, in the words of one with pages", async () => {
    const alive = await ask("/healthz");
    expect([alive.status, await alive.text()]).toEqual([200, "ok\n"]);
    const ready = await ask("/readyz?from=balancer");
    expect([ready.status, await ready.json()]).toEqual([200, { ready: true, reasons: [] }]);
    expect(ready.headers.get("cache-control")).toBe("no-store");
  });

  it("is not ready when a migration is missing, and says which", async () => {
    const hide = (to: string) =>
      pool().query(`update _prisma_migrations set finished_at = ${to} where migration_name like '%_trace'`);
    await hide("null");
    try {
      const answer = await ask("/readyz");
      expect(answer.status).toBe(503);
      expect(await answer.json()).toMatchObject({ ready: false, reasons: [{ check: "migrations" }] });
    } finally {
      await hide("now()");
    }
  });

  it("hands the figures to those who serve them, takes no other method, and has nothing else", async () => {
    // Without METRICS_TOKEN; its words, not ours.
    const figures = await ask("/api/metrics");
    expect([figures.status, await figures.text()]).toEqual([404, "Not found\n"]);
    const posted = await ask("/readyz", { method: "POST" });
    expect([posted.status, posted.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
    const headed = await ask("/healthz", { method: "HEAD" });
    expect([headed.status, await headed.text()]).toEqual([200, ""]);
    for (const path of ["/", "/console", "/__proto__", "/readyz/x"]) expect((await ask(path)).status).toBe(404);
  });
});
