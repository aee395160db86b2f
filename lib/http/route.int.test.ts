import { encode } from "next-auth/jwt";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { admitPerson } from "@/lib/auth/admit-person";
import { newId } from "@/lib/core/ids";
import { processSecrets } from "@/lib/db/process-secrets";
import { defineRead } from "@/lib/db/verbs";
import { baseUrl } from "@/lib/env";
import { readiness } from "@/lib/http/readiness";
import { route } from "@/lib/http/route";
import { createRole } from "@/lib/members/change-role";
import { inviteMember, revokeInvitation } from "@/lib/members/invite-member";
import { listMembers } from "@/lib/members/read";
import { getMe } from "@/lib/tenants/read";
import { entriesOf } from "@/lib/testing/entries";
import { createTestMember, createTestTenant, type TestTenant } from "@/lib/testing/factories";
import { withTestDatabase } from "@/lib/testing/test-database";

withTestDatabase();

const URL_OF = `${"http://127.0.0.1:3000"}/api/v1/x`;
let tenant: TestTenant;
let cookie: string;

beforeAll(async () => {
  tenant = await createTestTenant();
  cookie = await cookieOf(tenant.admin.email);
});

async function cookieOf(email: string): Promise<string> {
  const person = {
    provider: "oidc",
    issuer: "https://i.test",
    subject: newId(),
    email,
    claimedEmail: email,
    name: "A",
  };
  const admission = await admitPerson(person, {});
  if (!admission.ok) throw new Error(admission.reason);
  const token = await encode({ token: { sid: admission.sessionId }, secret: processSecrets().nextAuthSecret });
  return `countersign.session=${token}`;
}

const own = () => ({ cookie, origin: baseUrl(), "content-type": "application/json", "x-tenant": tenant.slug });
const info = (params: Record<string, string> = {}) => ({ params: Promise.resolve(params) });
const post = (body: BodyInit, headers: Record<string, string> = own()) =>
  new Request(URL_OF, { method: "POST", headers, body });
const problem = async (response: Response) => (await response.json()) as Record<string, unknown>;
const invite = route(inviteMember);
const role = (slug: string) => JSON.stringify({ slug, name: "R", permissions: ["files:read"] });

describe("route", () => {
  it("serves a read with ids, no caching, and the caller's request id", async () => {
    const headers = { cookie, "x-request-id": "my-request-1" };
    // What Next really hands over for an address without a variable part.
    const bare = { params: Promise.resolve(undefined) };
    const response = await route(getMe)(new Request(URL_OF, { headers }), bare);
    expect(response.status).toBe(200);
    expect(response.headers.get("x-request-id")).toBe("my-request-1");
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(await response.json()).toMatchObject({ email: tenant.admin.email, activeTenant: { slug: tenant.slug } });
  });

  it("answers strangers with 401 and refuses a made-up token", async () => {
    const bare = await route(getMe)(new Request(URL_OF), info());
    expect([bare.status, bare.headers.get("www-authenticate")]).toEqual([401, 'Bearer realm="countersign"']);
    expect(bare.headers.get("content-type")).toBe("application/problem+json");
    const made = new Request(URL_OF, { headers: { cookie, authorization: `Bearer cst_${"x".repeat(43)}` } });
    // A presented credential that fails is not quietly replaced by the cookie.
    expect((await route(getMe)(made, info())).status).toBe(401);
    const skipped = new Request(URL_OF, { headers: { "x-middleware-subrequest": "proxy:proxy:proxy:proxy:proxy" } });
    expect((await route(listMembers)(skipped, info())).status).toBe(401);
  });

  it("names the missing permission and the entry of the refusal", async () => {
    const viewer = await createTestMember(tenant, "viewer");
    const response = await invite(post("{}", { ...own(), cookie: await cookieOf(viewer.email) }), info());
    expect(response.status).toBe(403);
    const said = await problem(response);
    expect(said).toMatchObject({ code: "permission_denied", missing: "members:write", status: 403 });
    expect(said["entry"]).toMatch(/^[0-9a-f-]{36}$/);
    expect(await entriesOf(tenant.tenantId, "access.denied", viewer.email)).toHaveLength(1);
  });

  it("takes a cookie's write only from our own page", async () => {
    const { origin: _origin, ...without } = own();
    const refusedHeaders: Record<string, string>[] = [
      without,
      { ...without, origin: "https://evil.test" },
      { ...without, origin: "null" },
      { ...without, origin: baseUrl(), "sec-fetch-site": "cross-site" },
      { ...without, origin: baseUrl(), "sec-fetch-site": "same-site" },
      { ...without, "sec-fetch-site": "none" },
    ];
    for (const headers of refusedHeaders) {
      const response = await route(createRole)(post(role("evil"), headers), info());
      expect([response.status, (await problem(response))["code"]]).toEqual([403, "origin_refused"]);
    }
    expect(
      (await route(createRole)(post(role("fine"), { ...without, "sec-fetch-site": "same-origin" }), info())).status,
    ).toBe(201);
    expect((await route(createRole)(post(role("fine-too")), info())).status).toBe(201);
  });

  it("names every bad field, the wrong type of body, and what is too big or too deep", async () => {
    const bad = await problem(await invite(post('{"email":"no","roles":[]}'), info()));
    expect(bad).toMatchObject({ status: 422, code: "invalid_input" });
    expect((bad["issues"] as { path: string }[]).map(({ path }) => path)).toEqual(["email", "roles"]);
    const code = async (body: BodyInit, headers = own()) =>
      (await problem(await invite(post(body, headers), info())))["code"];
    expect(await code("{")).toBe("invalid_input");
    expect(await code("[]")).toBe("invalid_input");
    expect(await code("email=a", { ...own(), "content-type": "application/x-www-form-urlencoded" })).toBe(
      "unsupported_media_type",
    );
    expect(await code(`{"a":"${"x".repeat(1024 * 1024)}"}`)).toBe("payload_too_large");
    expect(await code(`{"a":${"[".repeat(65)}${"]".repeat(65)}}`)).toBe("invalid_input");
    expect(await problem(await invite(post('{"email":"a\\u0000@b.test","roles":["viewer"]}'), info()))).toMatchObject({
      issues: [{ path: "email", rule: "must not contain the NUL character" }],
    });
  });

  it("lets the address win, and says when the body disagrees", async () => {
    const id = newId();
    const response = await route(revokeInvitation)(post(JSON.stringify({ id: newId() })), info({ id }));
    expect(await problem(response)).toMatchObject({ issues: [{ path: "id" }] });
    expect((await route(revokeInvitation)(post(JSON.stringify({ id })), info({ id }))).status).toBe(404);
    const twice = new Request(`${URL_OF}?limit=1&limit=2`, { headers: { cookie } });
    expect(await problem(await route(listMembers)(twice, info()))).toMatchObject({
      issues: [{ path: "limit", rule: "must be given once" }],
    });
  });

  it("keeps an unexpected fault's message to itself", async () => {
    const broken = defineRead({
      permission: "self",
      input: z.object({}),
      run: async () => {
        throw new Error("password=hunter2 at db.internal");
      },
    });
    const response = await route(broken)(new Request(URL_OF, { headers: { cookie } }), info());
    const text = await response.text();
    expect(response.status).toBe(500);
    expect(text).not.toContain("hunter2");
    expect(JSON.parse(text)).toMatchObject({ code: "internal", requestId: response.headers.get("x-request-id") });
  });
});

it("is ready when the database, its migrations, the keys and the trail are", async () => {
  expect(await readiness()).toEqual({ ready: true, reasons: [] });
});
