import { randomBytes } from "node:crypto";
import { z } from "zod";
import { createAgent } from "@/lib/agents/create-agent";
import { listAgentKeys, mintAgentKey, revokeAgentKey } from "@/lib/agents/keys";
import { listAgents } from "@/lib/agents/read";
import { perform } from "@/lib/audit/perform";
import { tokenHash } from "@/lib/auth/verify-api-token";
import type { RequestContext } from "@/lib/core/context";
import { newId, newSecret } from "@/lib/core/ids";
import { defineRead, defineWrite } from "@/lib/db/verbs";
import type { DemoFile } from "@/prisma/seed/demo-file";
import { PLATFORM_ADMIN, type Scenario, type SeedAgent, STRANGER } from "@/prisma/seed/scenario";

type DemoUser = DemoFile["users"][number];
type DemoAgent = DemoFile["agents"][number];

const YEAR_MS = 365 * 24 * 60 * 60 * 1000;

/** One password per person, however many tenants they belong to; new ones each time. */
export function makePasswords(emails: Iterable<string>): ReadonlyMap<string, string> {
  return new Map([...emails].map((email) => [email, randomBytes(12).toString("base64url")]));
}

/** A token for every member, scoped to what the member may do. Tokens of an earlier seeding are revoked. */
const issueTokens = defineWrite({
  permission: "members:write",
  input: z.object({}),
  run: async (tx, ctx) => {
    const { tenantId } = ctx;
    const now = new Date();
    await tx.apiToken.updateMany({ where: { tenantId, name: "demo", revokedAt: null }, data: { revokedAt: now } });
    const members = await tx.member.findMany({
      where: { tenantId, user: { demo: true } },
      include: { user: true, roles: { include: { role: true } } },
    });
    const issued = members.map((member) => {
      const secret = newSecret("cst");
      const scopes = [...new Set(member.roles.flatMap(({ role }) => role.permissions))].sort();
      return { email: member.user.email, secret, row: { ...{ tenantId, id: newId(), memberId: member.id }, scopes } };
    });
    await tx.apiToken.createMany({
      data: issued.map(({ secret, row }) => ({
        ...row,
        ...{ name: "demo", prefix: secret.slice(0, 10), hash: new Uint8Array(tokenHash(secret)) },
        expiresAt: new Date(now.getTime() + YEAR_MS),
      })),
    });
    return {
      result: new Map(issued.map(({ email, secret }) => [email, secret])),
      audit: { action: "demo.tokens_issued", target: issued.map(({ email }) => email).join(", ") },
    };
  },
});

const findMember = defineRead({
  permission: "members:read",
  input: z.object({ email: z.string() }),
  run: async (tx, ctx, { email }) => {
    const member = await tx.member.findFirst({
      where: { tenantId: ctx.tenantId, user: { email } },
      select: { id: true },
    });
    return member?.id ?? null;
  },
});

async function issueAgent(ctx: RequestContext, tenant: string, agent: SeedAgent): Promise<DemoAgent> {
  const { slug, name, description, roles, allowed, denied } = agent;
  const known = (await perform(listAgents, ctx, {})).find((candidate) => candidate.slug === slug);
  const ownerMemberId = await perform(findMember, ctx, { email: agent.owner });
  const input = { slug, name, description, roles, ...(ownerMemberId === null ? {} : { ownerMemberId }) };
  const { id } = known ?? (await perform(createAgent, ctx, input));
  const before = await perform(listAgentKeys, ctx, { id });
  for (const key of before.filter(({ revokedAt }) => revokedAt === null)) {
    await perform(revokeAgentKey, ctx, { id, keyId: key.id });
  }
  const { secret } = await perform(mintAgentKey, ctx, { id, name: "demo" });
  return { name: slug, tenant, key: secret, roles: [...roles], allowed, denied };
}

/** Everything that opens a tenant of the demo. */
export async function issueCredentials(
  ctx: RequestContext,
  scenario: Scenario,
  passwords: ReadonlyMap<string, string>,
  agents: readonly SeedAgent[],
): Promise<{ readonly users: readonly DemoUser[]; readonly agents: readonly DemoAgent[] }> {
  const tokens = await perform(issueTokens, ctx, {});
  const issued: DemoAgent[] = [];
  for (const agent of agents) issued.push(await issueAgent(ctx, scenario.slug, agent));
  const users = scenario.people.map(({ email, roles }) => ({
    ...{ email, password: passwords.get(email) ?? "", tenant: scenario.slug },
    ...{ roles: [...roles], apiToken: tokens.get(email) ?? null },
  }));
  return { users, agents: issued };
}

/** The people who belong to no tenant; without one there is nothing a token could be scoped to. */
export const peopleOfNoTenant = (passwords: ReadonlyMap<string, string>): readonly DemoUser[] =>
  [
    { email: PLATFORM_ADMIN.email, roles: ["platform-admin"] },
    { email: STRANGER.email, roles: [] },
  ].map((person) => ({ ...person, password: passwords.get(person.email) ?? "", tenant: null, apiToken: null }));
