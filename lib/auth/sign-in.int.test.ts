import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { contextFromHeaders } from "@/lib/auth/context-from-headers";
import { flushRefusals } from "@/lib/auth/refusals";
import { newId, PLATFORM_TENANT_ID } from "@/lib/core/ids";
import { inPlatform, inTenant } from "@/lib/db/in-tenant";
import {
  type AuthConsole,
  CookieBrowser,
  signInWith,
  startAuthConsole,
  writeDemoUsers,
} from "@/lib/testing/auth-console";
import { entriesOf } from "@/lib/testing/entries";
import { createTestMember, createTestTenant, type TestTenant, uniqueSlug } from "@/lib/testing/factories";
import { withTestDatabase } from "@/lib/testing/test-database";

// The issuer exists in the demo only, and a given database turns the demo off.
vi.stubEnv("DEMO", "1");
withTestDatabase();

const password = "correct-horse";
const stranger = `${uniqueSlug("stranger")}@example.test`;
const invited = `${uniqueSlug("invited")}@example.test`;
let tenant: TestTenant;
let member: { email: string; userId: string };
let web: AuthConsole;

beforeAll(async () => {
  tenant = await createTestTenant();
  member = await createTestMember(tenant, "developer");
  const people = [member.email, stranger, invited];
  await writeDemoUsers(people.map((email) => ({ email, password })));
  web = await startAuthConsole();
});
afterAll(async () => web.close());

const cookieHeaders = (browser: CookieBrowser, extra: Record<string, string> = {}) =>
  new Headers({ cookie: browser.cookieHeader(), ...extra });

describe("the development issuer", () => {
  it("prints every address under its prefix", async () => {
    const answer = await fetch(`${web.base}/dev-issuer/.well-known/openid-configuration`);
    const discovery = (await answer.json()) as Record<string, unknown>;
    expect(discovery["issuer"]).toBe(`${web.base}/dev-issuer`);
    for (const name of ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"]) {
      expect(discovery[name]).toMatch(new RegExp(`^${web.base}/dev-issuer/`));
    }
    expect(discovery["code_challenge_methods_supported"]).toEqual(["S256"]);
    expect(discovery["response_types_supported"]).toEqual(["code"]);
  });

  it("refuses a request that came through a proxy or by another name", async () => {
    const url = `${web.base}/dev-issuer/.well-known/openid-configuration`;
    for (const headers of [
      { "x-forwarded-for": "203.0.113.9" },
      { forwarded: "for=203.0.113.9" },
      { "x-real-ip": "10.0.0.1" },
    ]) {
      expect((await fetch(url, { headers })).status).toBe(403);
    }
    expect((await fetch(url.replace("127.0.0.1", "localhost"))).status).toBe(403);
    expect((await fetch(url)).status).toBe(200);
  });

  it("refuses an authorization request without PKCE, and a foreign redirect", async () => {
    const ask = async (change: (query: URLSearchParams) => void) => {
      const query = new URLSearchParams({
        client_id: "countersign-console",
        response_type: "code",
        scope: "openid",
        redirect_uri: `${web.base}/api/auth/callback/development`,
        code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        code_challenge_method: "S256",
      });
      change(query);
      return fetch(`${web.base}/dev-issuer/auth?${query}`, { redirect: "manual" });
    };
    const good = await ask(() => undefined);
    expect(good.headers.get("location")).toMatch(/^\/dev-issuer\/interaction\//);
    const noPkce = await ask((query) => query.delete("code_challenge"));
    expect(noPkce.headers.get("location")).toContain("error=invalid_request");
    const foreign = await ask((query) => query.set("redirect_uri", "https://evil.test/cb"));
    expect([foreign.status, foreign.headers.get("location")]).toEqual([400, null]);
  });
});

describe("signing in with authorization code and PKCE", () => {
  it("opens a session row, whose cookie then names the person in their tenant", async () => {
    const browser = new CookieBrowser();
    const start = await browser.open(`${web.base}/sign-in/development?callbackUrl=/deep/link`);
    const authorize = new URL(start.headers.get("location") ?? "");
    expect(authorize.searchParams.get("code_challenge_method")).toBe("S256");
    expect(authorize.searchParams.get("state")).toBeTruthy();
    expect(authorize.searchParams.get("nonce")).toBeTruthy();
    const page = await browser.follow(authorize.href);
    expect(await page.response.clone().text()).toContain(`Continue as`);
    const body = new URLSearchParams({ email: member.email, password }).toString();
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const landed = await browser.follow(page.url, { method: "POST", headers, body });
    expect(landed.url).toBe(`${web.base}/deep/link`);

    const ctx = await contextFromHeaders(cookieHeaders(browser));
    expect(ctx.tenantId).toBe(tenant.tenantId);
    expect(ctx.actor).toMatchObject({
      kind: "user",
      email: member.email,
      userId: member.userId,
      authMethod: "session",
    });
    expect(ctx.permissions.has("agents:write")).toBe(true);
    expect(ctx.permissions.has("members:write")).toBe(false);
    const opened = await entriesOf(tenant.tenantId, "session.opened", member.email);
    expect(opened).toHaveLength(1);
  });

  it("refuses a wrong password and records it", async () => {
    const browser = new CookieBrowser();
    const { response } = await signInWith(browser, web.base, member.email, "wrong");
    expect(response.status).toBe(401);
    expect(browser.has("countersign.session")).toBe(false);
    const refused = await entriesOf(PLATFORM_TENANT_ID, "session.refused", member.email);
    expect(refused.length).toBeGreaterThanOrEqual(1);
  });

  it("refuses a callback whose state is not this browser's, records it once, and counts the others", async () => {
    const browser = new CookieBrowser();
    const callback = `${web.base}/api/auth/callback/development?code=stolen&state=forged`;
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const { url } = await browser.follow(callback);
      expect(url).toContain("/sign-in?");
      expect(url).toContain("error=");
    }
    expect(browser.has("countersign.session")).toBe(false);
    const refused = () =>
      inPlatform(async (tx) => {
        const where = { tenantId: PLATFORM_TENANT_ID, eventType: "session.refused", reasonCode: "sign_in_failed" };
        const rows = await tx.auditEntry.findMany({ where, orderBy: { seq: "asc" } });
        return rows.map(({ record }) => JSON.parse(Buffer.from(record).toString()).count as number | undefined);
      });
    expect(await refused()).toEqual([undefined]);
    // At the end of a minute, or of the process.
    await flushRefusals();
    expect(await refused()).toEqual([undefined, 2]);
  });

  it("turns an invitation into a membership with its roles, at the first sign-in with that address", async () => {
    await inTenant(tenant.tenantId, (tx) =>
      tx.invitation.create({
        data: {
          tenantId: tenant.tenantId,
          id: newId(),
          email: invited,
          roleSlugs: ["viewer", "gone-role"],
          invitedBy: "test",
          expiresAt: new Date(Date.now() + 60_000),
        },
      }),
    );
    const browser = new CookieBrowser();
    await signInWith(browser, web.base, invited, password);
    const ctx = await contextFromHeaders(cookieHeaders(browser));
    expect(ctx.tenantId).toBe(tenant.tenantId);
    expect(ctx.permissions.has("servers:read")).toBe(true);
    expect(ctx.permissions.has("audit:read")).toBe(false);
    expect(await entriesOf(tenant.tenantId, "invitation.accepted", invited)).toHaveLength(1);
  });

  it("lets two people use one browser, one after the other", async () => {
    const browser = new CookieBrowser();
    for (const email of [member.email, stranger, member.email]) {
      await signInWith(browser, web.base, email, password);
      expect((await contextFromHeaders(cookieHeaders(browser))).actor).toMatchObject({ email });
    }
  });

  it("ends the session that the browser had before (ASVS 7.2.4), and no other of that person", async () => {
    const [browser, elsewhere] = [new CookieBrowser(), new CookieBrowser()];
    await signInWith(elsewhere, web.base, invited, password);
    await signInWith(browser, web.base, invited, password);
    const copy = cookieHeaders(browser);
    await signInWith(browser, web.base, invited, password);
    await expect(contextFromHeaders(copy)).rejects.toMatchObject({ code: "unauthenticated" });
    for (const alive of [browser, elsewhere]) {
      expect((await contextFromHeaders(cookieHeaders(alive))).actor).toMatchObject({ email: invited });
    }
    const closed = await entriesOf(tenant.tenantId, "session.closed", invited);
    expect(closed.map(({ reason }) => reason)).toEqual(["replaced"]);
  });

  it("lets a person of no tenant in, with nothing to do there", async () => {
    const browser = new CookieBrowser();
    await signInWith(browser, web.base, stranger, password);
    const ctx = await contextFromHeaders(cookieHeaders(browser));
    expect(ctx.tenantId).toBe(PLATFORM_TENANT_ID);
    expect([...ctx.permissions]).toEqual([]);
    await expect(contextFromHeaders(cookieHeaders(browser), tenant.slug)).rejects.toMatchObject({ code: "not_found" });
    await expect(contextFromHeaders(cookieHeaders(browser), "no-such")).rejects.toMatchObject({ code: "not_found" });
  });

  it("signs out: the row ends, so a kept copy of the cookie is worth nothing", async () => {
    const browser = new CookieBrowser();
    await signInWith(browser, web.base, member.email, password);
    const copy = cookieHeaders(browser);
    expect((await contextFromHeaders(copy)).actor.kind).toBe("user");
    const csrf = (await (await browser.open(`${web.base}/api/auth/csrf`)).json()) as { csrfToken: string };
    const body = new URLSearchParams({ csrfToken: csrf.csrfToken }).toString();
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    await browser.open(`${web.base}/api/auth/signout`, { method: "POST", headers, body });
    expect(browser.has("countersign.session")).toBe(false);
    await expect(contextFromHeaders(copy)).rejects.toMatchObject({ code: "unauthenticated" });
    const closed = await entriesOf(tenant.tenantId, "session.closed", member.email);
    expect(closed.map((entry) => entry.reason).filter((reason) => reason !== "replaced")).toEqual(["signed_out"]);
  });

  it("does not sign out a visitor without the form's token", async () => {
    const browser = new CookieBrowser();
    await signInWith(browser, web.base, member.email, password);
    await browser.open(`${web.base}/api/auth/signout`, { method: "POST" });
    expect((await contextFromHeaders(cookieHeaders(browser))).actor.kind).toBe("user");
  });

  it("never starts a sign-in for another site, nor serves next-auth's log", async () => {
    const cross = await fetch(`${web.base}/sign-in/development`, {
      headers: { "sec-fetch-site": "cross-site" },
      redirect: "manual",
    });
    expect(cross.headers.get("location")).toBe("/sign-in?error=origin_refused");
    expect((await fetch(`${web.base}/api/auth/_log`, { method: "POST" })).status).toBe(404);
    const unknown = await fetch(`${web.base}/sign-in/entra`, { redirect: "manual" });
    expect(unknown.headers.get("location")).toBe("/sign-in?error=unknown_provider");
  });

  it("says what is wrong with a body that it does not read", async () => {
    const post = (type: string, body: string) =>
      fetch(`${web.base}/api/auth/signin/dev`, { method: "POST", headers: { "content-type": type }, body });
    const large = await post("application/x-www-form-urlencoded", `csrfToken=${"x".repeat(70_000)}`);
    expect([large.status, await large.text()]).toEqual([413, "The body is larger than 65536 bytes."]);
    const broken = await post("application/json", "{");
    expect([broken.status, await broken.text()]).toEqual([422, "The body is not valid JSON."]);
  });

  it("keeps accounts apart from sessions: a forged cookie names nobody", async () => {
    for (const cookie of ["countersign.session=x", "countersign.session=a.b.c.d.e", "countersign.session="]) {
      await expect(contextFromHeaders(new Headers({ cookie }))).rejects.toMatchObject({ code: "unauthenticated" });
    }
    const identities = await inPlatform((tx) => tx.userIdentity.count({ where: { userId: member.userId } }));
    expect(identities).toBe(1);
  });
});
