import type { IncomingMessage } from "node:http";
import { describe, expect, it } from "vitest";
import { refusalOf } from "@/lib/auth/dev-issuer";
import { loginPage } from "@/lib/auth/dev-issuer/login-page";
import { configuredProviders } from "@/lib/auth/providers";
import { safePath } from "@/lib/auth/safe-path";
import { seenFrom } from "@/lib/auth/seen-from";
import { InvalidSettings, parseEnv } from "@/lib/env";

const BASE = "http://127.0.0.1:3000";
const request = (remoteAddress: string, headers: Record<string, string> = {}) =>
  ({ socket: { remoteAddress }, headers: { host: "127.0.0.1:3000", ...headers } }) as unknown as IncomingMessage;

describe("the development issuer", () => {
  it("answers this machine in the demo, and nobody else", () => {
    for (const address of ["127.0.0.1", "::1", "::ffff:127.0.0.1", "127.8.8.8"]) {
      expect(refusalOf(request(address), true, BASE)).toBeNull();
    }
    for (const address of ["10.0.0.5", "203.0.113.9", "::ffff:10.0.0.5", "", "127.0.0.1.evil"]) {
      expect(refusalOf(request(address), true, BASE)).toMatch(/machine/);
    }
    expect(refusalOf(request("127.0.0.1"), false, BASE)).toMatch(/demo is off/);
    expect(refusalOf(request("127.0.0.1"), true, "https://gate.example.test")).toMatch(/public/);
    for (const name of ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"]) {
      expect(refusalOf(request("127.0.0.1", { [name]: "x" }), true, BASE)).toMatch(/proxy/);
    }
    expect(refusalOf(request("127.0.0.1", { host: "rebound.evil.test:3000" }), true, BASE)).toMatch(/only at/);
  });

  it("escapes what it prints", () => {
    const user = { email: `"><script>x`, password: `'"<`, places: ["<b>"] };
    const html = loginPage([user], `"><img>`, "<i>");
    expect(html).not.toMatch(/<script>|<img>|<i>|<b>/);
  });
});

describe("sign-in providers", () => {
  const of = (source: Record<string, string>, base = BASE) =>
    configuredProviders(parseEnv(source), base, () => "secret");

  it("come from the settings", () => {
    const all = of({
      DEMO: "1",
      ENTRA_TENANT_ID: "11111111-2222-4333-8444-555555555555",
      ENTRA_CLIENT_ID: "e",
      ENTRA_CLIENT_SECRET: "s",
      OKTA_ISSUER: "https://acme.okta.test/",
      OKTA_CLIENT_ID: "o",
      OKTA_CLIENT_SECRET: "s",
      OIDC_ISSUER: "https://id.test/realm",
      OIDC_CLIENT_ID: "i",
      OIDC_CLIENT_SECRET: "s",
      OIDC_NAME: "Acme",
    });
    expect(all.map(({ id, name, wellKnown }) => [id, name, wellKnown])).toEqual([
      [
        "entra",
        "Microsoft Entra ID",
        "https://login.microsoftonline.com/11111111-2222-4333-8444-555555555555/v2.0/.well-known/openid-configuration",
      ],
      ["okta", "Okta", "https://acme.okta.test/.well-known/openid-configuration"],
      ["oidc", "Acme", "https://id.test/realm/.well-known/openid-configuration"],
      ["development", "Development sign-in", `${BASE}/dev-issuer/.well-known/openid-configuration`],
    ]);
  });

  it("leave the development issuer out where there is no demo or a public address", () => {
    expect(of({ DEMO: "0" })).toEqual([]);
    expect(of({ DEMO: "1" }, "https://gate.example.test")).toEqual([]);
    expect(of({ DEMO: "1" }, "http://10.1.2.3:3000")).toEqual([]);
    expect(of({ DEMO: "1" }, "http://127.0.0.1.evil.test")).toEqual([]);
    expect(of({ DEMO: "1" }, "http://localhost:3000")).toHaveLength(1);
  });

  it("refuse to start half configured, or open to every directory", () => {
    expect(() => parseEnv({ OKTA_ISSUER: "https://acme.okta.test" })).toThrow(/OKTA_CLIENT_ID: must be set together/);
    const entra = { ENTRA_CLIENT_ID: "e", ENTRA_CLIENT_SECRET: "s" };
    for (const id of ["common", "organizations", "Consumers"]) {
      expect(() => parseEnv({ ...entra, ENTRA_TENANT_ID: id })).toThrow(InvalidSettings);
    }
    expect(() => parseEnv({ ...entra, ENTRA_TENANT_ID: "contoso.test" })).not.toThrow();
  });
});

it("comes back after signing in to a place of this console only", () => {
  for (const good of ["/", "/clinic/audit?range=24h&q=%2F%2F", "/a//b", "/x#y"]) expect(safePath(good)).toBe(good);
  for (const bad of [
    null,
    "",
    "//evil.test",
    "/\\evil.test",
    "https://evil.test",
    "javascript:alert(1)",
    "/\t/evil.test",
    "/\n/evil.test",
  ]) {
    expect(safePath(bad)).toBe("/");
  }
});

it("believes only the nearest hop about an address", () => {
  const ip = (value: string) => seenFrom(new Headers({ "x-forwarded-for": value })).ip;
  expect(ip("6.6.6.6, 203.0.113.9")).toBe("203.0.113.9");
  expect(ip("::ffff:127.0.0.1")).toBe("127.0.0.1");
  expect(ip("<script>")).toBeNull();
  expect(seenFrom(new Headers()).ip).toBeNull();
});
