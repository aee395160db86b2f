import { encode } from "next-auth/jwt";
import { beforeAll, describe, expect, it } from "vitest";
import { perform } from "@/lib/audit/perform";
import { admitPerson } from "@/lib/auth/admit-person";
import { closeSession } from "@/lib/auth/close-session";
import { contextFromHeaders } from "@/lib/auth/context-from-headers";
import { endPersonSessions } from "@/lib/auth/end-person-sessions";
import { ABSOLUTE_MS, IDLE_MS, TOUCH_EVERY_MS } from "@/lib/auth/lifetimes";
import { endOtherSessions, endOwnSession, listOwnSessions } from "@/lib/auth/own-sessions";
import type { SeenFrom } from "@/lib/auth/session-events";
import { endSession, findLiveSession } from "@/lib/auth/sessions";
import { switchTenant } from "@/lib/auth/switch-tenant";
import { newId, PLATFORM_TENANT_ID } from "@/lib/core/ids";
import { UNATTENDED_HEADER } from "@/lib/core/wire";
import { inPlatform, inTenant } from "@/lib/db/in-tenant";
import { processSecrets } from "@/lib/db/process-secrets";
import { changeMember } from "@/lib/members/change-member";
import { inviteMember } from "@/lib/members/invite-member";
import { endMemberSessions, listMemberSessions } from "@/lib/members/member-sessions";
import { mintApiToken } from "@/lib/members/mint-api-token";
import { changeTenant } from "@/lib/tenants/change-tenant";
import { getMe } from "@/lib/tenants/read";
import { entriesOf } from "@/lib/testing/entries";
import {
  createPlatformAdmin,
  createTestMember,
  createTestTenant,
  type TestTenant,
  uniqueSlug,
} from "@/lib/testing/factories";
import { readTrail } from "@/lib/testing/read-trail";
import { withTestDatabase } from "@/lib/testing/test-database";

withTestDatabase();

const MINUTE = 60_000;
let tenant: TestTenant;

beforeAll(async () => {
  tenant = await createTestTenant();
});

const personOf = (email: string | null, subject = newId(), issuer = "https://issuer.test") => ({
  provider: "oidc",
  issuer,
  subject,
  email,
  claimedEmail: email,
  name: "Somebody",
});

async function signIn(email: string, now = Date.now(), seen: SeenFrom = {}): Promise<string> {
  const admission = await admitPerson(personOf(email, `sub-${email}`), seen, now);
  if (!admission.ok) throw new Error(admission.reason);
  return admission.sessionId;
}

async function headersOf(sid: string, more: Record<string, string> = {}): Promise<Headers> {
  const token = await encode({ token: { sid }, secret: processSecrets().nextAuthSecret });
  return new Headers({ cookie: `other=1; countersign.session=${token}`, ...more });
}

const rowOf = (id: string) => inPlatform((tx) => tx.session.findUniqueOrThrow({ where: { id } }));

describe("a session", () => {
  it("ends twelve hours after sign-in, however busy it was", async () => {
    const { email } = await createTestMember(tenant, "viewer");
    const start = Date.now();
    const sid = await signIn(email, start);
    for (let now = start; now < start + ABSOLUTE_MS - MINUTE; now += 20 * MINUTE) {
      expect(await findLiveSession(sid, now)).not.toBeNull();
    }
    const last = await findLiveSession(sid, start + ABSOLUTE_MS - MINUTE);
    expect(last?.idleExpiresAt.getTime()).toBe(start + ABSOLUTE_MS);
    expect(await findLiveSession(sid, start + ABSOLUTE_MS + 1)).toBeNull();
    expect((await rowOf(sid)).endReason).toBe("expired");
  });

  it("ends after thirty idle minutes, once, with an entry", async () => {
    const { email } = await createTestMember(tenant, "viewer");
    const start = Date.now();
    const sid = await signIn(email, start);
    expect(await findLiveSession(sid, start + IDLE_MS - 1)).not.toBeNull();
    expect(await findLiveSession(sid, start + 2 * IDLE_MS)).toBeNull();
    expect(await findLiveSession(sid, start)).toBeNull();
    const closed = await entriesOf(tenant.tenantId, "session.closed", email);
    expect(closed.map((entry) => entry.reason)).toEqual(["idle"]);
  });

  it("writes its use down at most once a minute", async () => {
    const { email } = await createTestMember(tenant, "viewer");
    const start = Date.now();
    const sid = await signIn(email, start);
    await findLiveSession(sid, start + TOUCH_EVERY_MS - 1);
    expect((await rowOf(sid)).lastSeenAt.getTime()).toBe(start);
    await findLiveSession(sid, start + TOUCH_EVERY_MS);
    expect((await rowOf(sid)).lastSeenAt.getTime()).toBe(start + TOUCH_EVERY_MS);
  });

  it("is not kept alive by what a page asks while nobody is there, and ends idle then (HIPAA automatic log-off)", async () => {
    const { email } = await createTestMember(tenant, "viewer");
    const sid = await signIn(email, Date.now() - 10 * MINUTE);
    const { lastSeenAt, idleExpiresAt } = await rowOf(sid);
    const unattended = await headersOf(sid, { [UNATTENDED_HEADER]: "1" });
    expect((await contextFromHeaders(unattended)).actor).toMatchObject({ email });
    expect(await rowOf(sid)).toMatchObject({ lastSeenAt, idleExpiresAt });
    // Negative control: what a person asks does keep it alive.
    await contextFromHeaders(await headersOf(sid));
    expect((await rowOf(sid)).idleExpiresAt.getTime()).toBeGreaterThan(idleExpiresAt.getTime());
    const left = await signIn(email, Date.now() - IDLE_MS - 1);
    await expect(contextFromHeaders(await headersOf(left, { [UNATTENDED_HEADER]: "1" }))).rejects.toMatchObject({
      code: "unauthenticated",
    });
    expect((await rowOf(left)).endReason).toBe("idle");
  });

  it("is dead at once when revoked, with its cookie still valid", async () => {
    const { email } = await createTestMember(tenant, "viewer");
    const sid = await signIn(email);
    const headers = await headersOf(sid);
    expect((await contextFromHeaders(headers)).actor).toMatchObject({ email });
    await endSession(sid, "revoked");
    await endSession(sid, "revoked");
    await expect(contextFromHeaders(headers)).rejects.toMatchObject({ code: "unauthenticated" });
    expect(await entriesOf(tenant.tenantId, "session.closed", email)).toHaveLength(1);
  });

  it("ends by DELETE /api/v1/session in the tenant's chain", async () => {
    const { email } = await createTestMember(tenant, "viewer");
    const headers = await headersOf(await signIn(email));
    await perform(closeSession, await contextFromHeaders(headers), {});
    await expect(contextFromHeaders(headers)).rejects.toMatchObject({ code: "unauthenticated" });
    expect(await entriesOf(tenant.tenantId, "session.closed", email)).toHaveLength(1);
  });

  it("names nobody when the cookie was made with another key, or is some other session's id", async () => {
    const token = await encode({ token: { sid: newId() }, secret: "another-secret-of-at-least-32-characters" });
    const forged = new Headers({ cookie: `countersign.session=${token}` });
    await expect(contextFromHeaders(forged)).rejects.toMatchObject({ code: "unauthenticated" });
    await expect(contextFromHeaders(await headersOf(newId()))).rejects.toMatchObject({ code: "unauthenticated" });
    await expect(contextFromHeaders(await headersOf("'; drop table sessions"))).rejects.toMatchObject({
      code: "unauthenticated",
    });
  });

  it("ignores a header that pretends the proxy has checked already (CVE-2025-29927)", async () => {
    const headers = new Headers({ "x-middleware-subrequest": "proxy:proxy:proxy:proxy:proxy" });
    await expect(contextFromHeaders(headers)).rejects.toMatchObject({ code: "unauthenticated" });
  });
});

/** What a request of this session carries. */
const ctxOf = async (sid: string, more: Record<string, string> = {}) => contextFromHeaders(await headersOf(sid, more));
const unauthenticated = { code: "unauthenticated" };
const closedIn = async (tenantId: string, email: string) =>
  (await readTrail(tenantId)).filter(({ type, target }) => type === "session.closed" && target === email);

/** Somebody who is a member of `tenant` and of another one, with a session active in each. */
async function personOfTwo() {
  const other = await createTestTenant();
  const person = await createTestMember(tenant, "viewer");
  const { userId, email } = person;
  const memberId = newId();
  await inPlatform((tx) => tx.member.create({ data: { tenantId: other.tenantId, id: memberId, userId } }));
  const seen = (place: string) => ({ ip: `192.0.2.${place}`, userAgent: `browser-${place}` });
  const [here, there] = [await signIn(email, Date.now(), seen("1")), await signIn(email, Date.now(), seen("2"))];
  await inPlatform(async (tx) => {
    const to = (id: string, activeTenantId: string) => tx.session.update({ where: { id }, data: { activeTenantId } });
    await to(here, tenant.tenantId);
    await to(there, other.tenantId);
  });
  return { ...person, other, otherMemberId: memberId, here, there };
}

describe("one's own sessions", () => {
  it("are listed with the one that asks, and end one by one with their next request", async () => {
    const { email } = await createTestMember(tenant, "viewer");
    const stranger = await createTestMember(tenant, "viewer");
    const [mine, lost] = [await signIn(email), await signIn(email, Date.now(), { ip: "192.0.2.9", userAgent: "UA" })];
    await signIn(email, Date.now() - IDLE_MS - 1);
    await endSession(await signIn(email), "signed_out");
    const theirs = await signIn(stranger.email);
    const listed = await perform(listOwnSessions, await ctxOf(mine), {});
    expect(listed).toMatchObject([
      { id: mine, current: true },
      { id: lost, current: false },
    ]);
    expect(listed.find(({ id }) => id === lost)).toMatchObject({
      address: "192.0.2.9",
      userAgent: "UA",
      tenant: { slug: tenant.slug },
    });

    await expect(perform(endOwnSession, await ctxOf(mine), { id: theirs })).rejects.toMatchObject({
      code: "not_found",
    });
    await perform(endOwnSession, await ctxOf(mine), { id: lost });
    await expect(ctxOf(lost)).rejects.toMatchObject(unauthenticated);
    // Negative control: nobody else's ended, and not the one that asked.
    expect([await findLiveSession(mine), await findLiveSession(theirs)]).not.toContain(null);
    await expect(perform(endOwnSession, await ctxOf(mine), { id: lost })).rejects.toMatchObject({ code: "not_found" });
    const before = await ctxOf(mine);
    await perform(endOwnSession, before, { id: mine });
    await expect(ctxOf(mine)).rejects.toMatchObject(unauthenticated);
    // Ended while its request was on the way: it ends no other any more.
    const next = await signIn(email);
    await expect(perform(endOtherSessions, before, {})).rejects.toMatchObject(unauthenticated);
    await expect(perform(endOwnSession, before, { id: next })).rejects.toMatchObject(unauthenticated);
    expect(await findLiveSession(next)).not.toBeNull();
    const entries = await entriesOf(tenant.tenantId, "session.closed", email);
    expect(entries.map(({ reason }) => reason)).toEqual(["signed_out", "revoked", "signed_out"]);
  });

  it("end all but one, in every tenant's trail, where none learns from where it was done in another", async () => {
    const { email, here, there, other } = await personOfTwo();
    const asking = await ctxOf(here, { "x-forwarded-for": "198.51.100.7", "x-tenant": tenant.slug });
    await perform(endOtherSessions, asking, {});
    await expect(ctxOf(there)).rejects.toMatchObject(unauthenticated);
    expect(await findLiveSession(here)).not.toBeNull();
    expect(await closedIn(tenant.tenantId, email)).toEqual([]);
    const [entry, ...more] = await closedIn(other.tenantId, email);
    expect(more).toEqual([]);
    expect(entry?.payload?.before).toMatchObject({ sessions: [{ id: there }] });
    expect(entry?.text).not.toContain("198.51.100.7");
    await expect(perform(endOtherSessions, asking, {})).rejects.toMatchObject({ code: "not_found" });

    // Done in the tenant that it stands with, it says from where.
    await signIn(email);
    await perform(switchTenant, await ctxOf(here), { tenant: other.slug });
    const back = await signIn(email);
    await perform(endOtherSessions, { ...(await ctxOf(back)), ip: "198.51.100.8" }, {});
    expect((await closedIn(other.tenantId, email)).at(-1)?.text).toContain("198.51.100.8");
  });

  it("are nothing that an API token learns of or ends", async () => {
    const { ctx, email } = await createTestMember(tenant, "viewer");
    const sid = await signIn(email);
    const { secret } = await perform(mintApiToken, ctx, { name: "x", scopes: ["servers:read"] });
    const asToken = await contextFromHeaders(new Headers({ authorization: `Bearer ${secret}` }));
    const refused = { code: "invalid_input" };
    await expect(perform(listOwnSessions, asToken, {})).rejects.toMatchObject(refused);
    await expect(perform(endOwnSession, asToken, { id: sid })).rejects.toMatchObject(refused);
    await expect(perform(endOtherSessions, asToken, {})).rejects.toMatchObject(refused);
    expect(await findLiveSession(sid)).not.toBeNull();
  });
});

describe("a member's sessions", () => {
  it("are seen and ended by an admin of the tenant that is active in them, and by no other tenant's", async () => {
    const { memberId, email, here, there, other, otherMemberId } = await personOfTwo();
    const listed = await perform(listMemberSessions, tenant.ctx(), { id: memberId });
    expect(listed).toMatchObject([{ id: here, address: "192.0.2.1", userAgent: "browser-1" }]);
    expect(JSON.stringify(listed)).not.toMatch(new RegExp(`192\\.0\\.2\\.2|browser-2|${there}|${other.slug}`));
    const foreign = { id: otherMemberId, reason: "a foreign tenant" };
    await expect(perform(listMemberSessions, tenant.ctx(), foreign)).rejects.toMatchObject({ code: "not_found" });
    await expect(perform(endMemberSessions, tenant.ctx(), foreign)).rejects.toMatchObject({ code: "not_found" });

    const act = { id: memberId, reason: "their laptop was stolen" };
    expect(await perform(endMemberSessions, tenant.ctx(), act)).toEqual({ ended: 1 });
    await expect(ctxOf(here)).rejects.toMatchObject(unauthenticated);
    expect((await ctxOf(there)).tenantId).toBe(other.tenantId);
    expect(await entriesOf(tenant.tenantId, "session.closed", tenant.admin.email)).toMatchObject([
      { target: email, reason: "revoked", outcome: "success" },
    ]);
    expect((await closedIn(tenant.tenantId, email))[0]?.text).toContain(act.reason);
    expect(await closedIn(other.tenantId, email)).toEqual([]);
    await expect(perform(endMemberSessions, tenant.ctx(), act)).rejects.toMatchObject({ code: "not_found" });
    // The other tenant's admin: the other session, and what is left of the first is nothing of theirs.
    expect(await perform(listMemberSessions, other.ctx(), { id: otherMemberId })).toMatchObject([{ id: there }]);
  });

  it("show from where they came to the tenant, and nothing of before", async () => {
    const { memberId, there } = await personOfTwo();
    const from = { ip: "198.51.100.1", userAgent: "then" };
    await perform(switchTenant, { ...(await ctxOf(there)), ...from }, { tenant: tenant.slug });
    const listed = await perform(listMemberSessions, tenant.ctx(), { id: memberId });
    expect(listed.find(({ id }) => id === there)).toMatchObject({ address: "198.51.100.1", userAgent: "then" });
  });

  it("are nothing for those who may not change members, nor ended by those who hold less", async () => {
    const admin = await createTestMember(tenant, "tenant-admin");
    const sid = await signIn(admin.email);
    const act = { id: admin.memberId, reason: "just because" };
    const [officer, recruiter] = [tenant.ctx("compliance-officer"), tenant.ctx(["members:read", "members:write"])];
    for (const attempt of [
      perform(listMemberSessions, officer, { id: admin.memberId }),
      perform(endMemberSessions, officer, act),
    ]) {
      await expect(attempt).rejects.toMatchObject({ detail: { missing: "members:write" } });
    }
    await expect(perform(endMemberSessions, recruiter, act)).rejects.toMatchObject({ detail: { missing: "admin:*" } });
    await expect(perform(endMemberSessions, tenant.ctx(), { id: admin.memberId })).rejects.toMatchObject({
      code: "invalid_input",
    });
    expect(await findLiveSession(sid)).not.toBeNull();
    // One's own, the only admin's too: it is a sign-out.
    await perform(endMemberSessions, await ctxOf(sid), act);
    await expect(ctxOf(sid)).rejects.toMatchObject(unauthenticated);
  });

  it("end everywhere by a platform admin, in each tenant's trail and the platform's, and by nobody else so", async () => {
    const { email, here, there, other } = await personOfTwo();
    const root = await createPlatformAdmin();
    const act = { email: email.toUpperCase(), reason: "left the group" };
    await expect(perform(endPersonSessions, tenant.ctx(), act)).rejects.toMatchObject({
      detail: { missing: "platform:write" },
    });
    expect(await perform(endPersonSessions, root.ctx, act)).toEqual({ ended: 2 });
    for (const sid of [here, there]) await expect(ctxOf(sid)).rejects.toMatchObject(unauthenticated);
    const by = root.ctx.actor.kind === "user" ? root.ctx.actor.email : "";
    for (const chain of [tenant.tenantId, other.tenantId, PLATFORM_TENANT_ID]) {
      expect(await entriesOf(chain, "session.closed", by)).toMatchObject([{ target: email }]);
    }
    const nobody = { email: "nobody@example.test", reason: "left the group" };
    await expect(perform(endPersonSessions, root.ctx, nobody)).rejects.toMatchObject({ code: "not_found" });
  });
});

describe("who gets in", () => {
  it("is (issuer, subject): a second issuer cannot take an account over by its address", async () => {
    const email = `${uniqueSlug("owner")}@example.test`;
    expect(await admitPerson(personOf(email, "first", "https://a.test"), {})).toMatchObject({ ok: true });
    expect(await admitPerson(personOf(email, "second", "https://b.test"), {})).toEqual({
      ok: false,
      reason: "email_taken",
    });
    expect(await admitPerson(personOf(email, "other", "https://a.test"), {})).toEqual({
      ok: false,
      reason: "email_taken",
    });
    // Negative control: the first one still gets in, even once their address is no longer vouched for.
    expect(await admitPerson(personOf(null, "first", "https://a.test"), {})).toMatchObject({ ok: true });
  });

  it("is nobody without a verified address, and that is recorded", async () => {
    const claimed = `${uniqueSlug("unverified")}@example.test`;
    const person = { ...personOf(null), claimedEmail: claimed };
    expect(await admitPerson(person, { ip: "203.0.113.7" })).toEqual({ ok: false, reason: "email_unverified" });
    const refused = await entriesOf(PLATFORM_TENANT_ID, "session.refused", claimed);
    expect(refused).toMatchObject([{ reason: "email_unverified", outcome: "denied" }]);
    expect(await inPlatform((tx) => tx.user.count({ where: { email: claimed } }))).toBe(0);
  });

  it("leaves an invitation alone that was revoked, has expired, or is somebody else's", async () => {
    const email = `${uniqueSlug("late")}@example.test`;
    const base = { tenantId: tenant.tenantId, roleSlugs: ["viewer"], invitedBy: "test" };
    const [soon, past] = [new Date(Date.now() + MINUTE), new Date(Date.now() - MINUTE)];
    await inTenant(tenant.tenantId, (tx) =>
      tx.invitation.createMany({
        data: [
          { ...base, id: newId(), email, expiresAt: past },
          { ...base, id: newId(), email, expiresAt: soon, revokedAt: new Date() },
          { ...base, id: newId(), email: `x${email}`, expiresAt: soon },
        ],
      }),
    );
    expect(await admitPerson(personOf(email), {})).toMatchObject({ ok: true, tenantId: null });
  });

  it("is not let in by an invitation that is taken back at the same moment", async () => {
    const { tenantId } = tenant;
    const email = `${uniqueSlug("late")}@example.test`;
    const { id } = await perform(inviteMember, tenant.ctx(), { email, roles: ["tenant-admin"] });
    const signal = () => {
      let give: () => void = () => undefined;
      const given = new Promise<void>((resolve) => {
        give = resolve;
      });
      return { give, given };
    };
    const [isRevoked, mayEnd] = [signal(), signal()];
    const revoking = inTenant(tenantId, async (tx) => {
      await tx.invitation.update({ where: { tenantId_id: { tenantId, id } }, data: { revokedAt: new Date() } });
      isRevoked.give();
      await mayEnd.given;
    });
    await isRevoked.given;
    const entering = signIn(email);
    setTimeout(mayEnd.give, 500);
    await Promise.all([revoking, entering]);
    const members = await inTenant(tenantId, (tx) => tx.member.count({ where: { tenantId, user: { email } } }));
    expect(members).toBe(0);
    expect(await entriesOf(tenantId, "invitation.accepted", email)).toEqual([]);
  });

  it("two first sign-ins at once make one account and never two", async () => {
    const email = `${uniqueSlug("twice")}@example.test`;
    const person = personOf(email);
    await Promise.allSettled([admitPerson(person, {}), admitPerson(person, {}), admitPerson(person, {})]);
    expect(await admitPerson(person, {})).toMatchObject({ ok: true });
    expect(await inPlatform((tx) => tx.user.count({ where: { email } }))).toBe(1);
  });
});

describe("which tenant", () => {
  it("switches for somebody of several, refuses others, and remembers it for the next sign-in", async () => {
    const person = await createTestMember(tenant, "viewer");
    const other = await createTestTenant();
    const foreign = await createTestTenant();
    await inPlatform(async (tx) => {
      const id = newId();
      await tx.member.create({ data: { tenantId: other.tenantId, id, userId: person.userId } });
      const roleId = other.roleIds.get("compliance-officer") ?? "";
      await tx.memberRole.create({ data: { tenantId: other.tenantId, memberId: id, roleId } });
    });
    const headers = await headersOf(await signIn(person.email));
    const before = await contextFromHeaders(headers);
    const target = before.tenantId === other.tenantId ? tenant : other;
    await perform(switchTenant, before, { tenant: target.slug });
    const after = await contextFromHeaders(headers);
    expect(after.tenantId).toBe(target.tenantId);
    expect(await entriesOf(target.tenantId, "session.tenant_switched", person.email)).toHaveLength(1);
    await expect(perform(switchTenant, after, { tenant: foreign.slug })).rejects.toMatchObject({ code: "not_found" });

    await perform(switchTenant, after, { tenant: other.slug });
    const me = await perform(getMe, await contextFromHeaders(headers), {});
    expect(me.activeTenant?.slug).toBe(other.slug);
    expect(me.roles).toEqual(["compliance-officer"]);
    expect(me.tenants.map(({ slug }) => slug).sort()).toEqual([tenant.slug, other.slug].sort());
    expect(me.session?.expiresAt).toBeTruthy();
    expect((await contextFromHeaders(await headersOf(await signIn(person.email)))).tenantId).toBe(other.tenantId);
    // A header names one tenant for one request, and only one of theirs.
    expect(
      (await contextFromHeaders(await headersOf(await signIn(person.email), { "x-tenant": tenant.slug }))).tenantId,
    ).toBe(tenant.tenantId);
    await expect(
      contextFromHeaders(new Headers({ ...Object.fromEntries(headers), "x-tenant": foreign.slug })),
    ).rejects.toMatchObject({ code: "not_found" });
  });

  it("is none for a suspended member, a suspended tenant, or roles that have expired", async () => {
    const person = await createTestMember(tenant, "developer");
    const headers = await headersOf(await signIn(person.email));
    expect((await contextFromHeaders(headers)).permissions.size).toBeGreaterThan(0);

    await inTenant(tenant.tenantId, (tx) =>
      tx.memberRole.updateMany({
        where: { tenantId: tenant.tenantId, memberId: person.memberId },
        data: { expiresAt: new Date(Date.now() - 1) },
      }),
    );
    expect((await contextFromHeaders(headers)).permissions.size).toBe(0);

    await perform(changeMember, tenant.ctx(), { id: person.memberId, status: "suspended", reason: "left" });
    expect((await contextFromHeaders(headers)).tenantId).toBe(PLATFORM_TENANT_ID);
    await expect(contextFromHeaders(headers, tenant.slug)).rejects.toMatchObject({ code: "not_found" });

    const closing = await createTestTenant();
    const worker = await createTestMember(closing, "developer");
    const workerHeaders = await headersOf(await signIn(worker.email));
    expect((await contextFromHeaders(workerHeaders)).tenantId).toBe(closing.tenantId);
    const root = await createPlatformAdmin();
    await perform(changeTenant, root.ctx, { id: closing.tenantId, status: "suspended", reason: "contract ended" });
    await expect(contextFromHeaders(workerHeaders, closing.slug)).rejects.toMatchObject({ code: "not_found" });
  });
});
