import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Pool } from "undici";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isAppError } from "@/lib/core/errors";
import { addressAllowed, checkUrl, guardedConnector } from "@/lib/mcp/upstream/egress-guard";
import { makeUpstreamPolicy } from "@/lib/mcp/upstream/policy";

const strict = makeUpstreamPolicy();
const VECTORS = [
  "127.0.0.1",
  "localhost",
  "localhost.",
  "0x7f.1",
  "2130706433",
  "0177.0.0.1",
  "127.1",
  "0.0.0.0",
  "[::1]",
  "[::ffff:127.0.0.1]",
  "[::127.0.0.1]",
];

let hits = 0;
let port = 0;
let server: Server;
beforeAll(async () => {
  server = createServer((_request, response) => {
    hits += 1;
    response.end("{}");
  });
  await new Promise<void>((resolve) => server.listen(0, resolve));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

describe("egress guard", () => {
  it.each(VECTORS)("never reaches the port through %s", async (host) => {
    const url = `http://${host}:${port}/`;
    const byLiteral = (() => {
      try {
        checkUrl(url, strict);
        return null;
      } catch (cause) {
        return cause;
      }
    })();
    // The connector must hold on its own too: it is what a redirect or a changed record would meet.
    const pool = new Pool(new URL(url).origin, { connect: guardedConnector(strict) });
    const byConnector = await pool.request({ method: "GET", path: "/" }).then(
      () => null,
      (cause: unknown) => cause,
    );
    await pool.destroy();
    expect(byConnector).toBeInstanceOf(Error);
    if (byLiteral !== null) expect(isAppError(byLiteral) && byLiteral.code).toBe("egress_refused");
    expect(hits).toBe(0);
  });

  it.each([
    "169.254.169.254",
    "10.0.0.1",
    "192.168.1.1",
    "172.16.0.1",
    "100.64.0.1",
    "fe80::1",
    "fd00:ec2::254",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "224.0.0.1",
    "168.63.129.16",
    "::ffff:168.63.129.16",
  ])("refuses %s", (address) => {
    expect(addressAllowed(address, strict)).toBe(false);
  });

  it("lets public addresses pass, and listed ranges only as far as they go", () => {
    const listed = makeUpstreamPolicy({ egressAllow: "10.1.0.0/16, fd00:1::/32" });
    expect(addressAllowed("93.184.216.34", strict)).toBe(true);
    expect(addressAllowed("2606:2800:220:1:248:1893:25c8:1946", strict)).toBe(true);
    expect(addressAllowed("10.1.2.3", listed)).toBe(true);
    expect(addressAllowed("::ffff:10.1.2.3", listed)).toBe(true);
    expect(addressAllowed("10.2.0.1", listed)).toBe(false);
    expect(() => makeUpstreamPolicy({ egressAllow: "10.1" })).toThrow();
  });

  it("reaches loopback when the demo says so", async () => {
    const pool = new Pool(`http://localhost:${port}`, {
      connect: guardedConnector(makeUpstreamPolicy({ allowLoopback: true })),
    });
    const { statusCode, body } = await pool.request({ method: "GET", path: "/" });
    await body.dump();
    await pool.destroy();
    expect(statusCode).toBe(200);
    hits = 0;
  });

  it("refuses other schemes and secrets in the address", () => {
    expect(() => checkUrl("file:///etc/passwd", strict)).toThrow("Only http");
    expect(() => checkUrl("https://user:pass@example.com/", strict)).toThrow("credential");
  });
});
