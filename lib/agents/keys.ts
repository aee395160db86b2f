import "server-only";
import { createHash } from "node:crypto";
import { z } from "zod";
import { agentChanged, requireAgent, requireMayRule } from "@/lib/agents/internal";
import { type MintedAgentKey, mintAgentKeyInput, revokeAgentKeyInput } from "@/lib/agents/schemas";
import { toKeyView } from "@/lib/agents/views";
import type { RequestContext } from "@/lib/core/context";
import { AppError } from "@/lib/core/errors";
import { newId, newSecret } from "@/lib/core/ids";
import { inTenant } from "@/lib/db/in-tenant";
import { defineRead, defineWrite } from "@/lib/db/verbs";

const DAY_MS = 24 * 60 * 60 * 1000;
const MAX_ACTIVE_KEYS = 20;
/** Enough to tell keys apart, far too little to guess one. */
const PREFIX_LENGTH = 11;

/** How a secret of 256 random bits is kept: a fast digest is enough, there is nothing to guess. */
export const hashSecret = (secret: string): Uint8Array<ArrayBuffer> =>
  new Uint8Array(createHash("sha256").update(secret).digest());

const requireOwnAgent =
  (act: string) =>
  async (ctx: RequestContext, { id }: { readonly id: string }) => {
    const row = await inTenant(ctx.tenantId, (tx) => requireAgent(tx, ctx.tenantId, id));
    await requireMayRule(ctx, row, act);
  };

/** Mints a key. This answer is the only place where the secret ever stands. */
export const mintAgentKey = defineWrite({
  permission: "agents:write",
  input: mintAgentKeyInput,
  status: 201,
  prepare: requireOwnAgent("mint a key for an agent of another member"),
  run: async (tx, ctx, { id: agentId, name, expiresInDays }) => {
    const { tenantId } = ctx;
    const agent = await requireAgent(tx, tenantId, agentId);
    const now = new Date();
    const active = agent.keys.filter(
      (key) => key.revokedAt === null && (key.expiresAt === null || key.expiresAt > now),
    );
    if (active.length >= MAX_ACTIVE_KEYS) {
      throw new AppError("conflict", `The agent has ${active.length} active keys; revoke one first.`);
    }
    const secret = newSecret("cs");
    const row = await tx.agentKey.create({
      data: {
        ...{ tenantId, id: newId(), agentId, name },
        prefix: secret.slice(0, PREFIX_LENGTH),
        hash: hashSecret(secret),
        expiresAt: expiresInDays === undefined ? null : new Date(now.getTime() + expiresInDays * DAY_MS),
      },
    });
    const view = toKeyView(row);
    return {
      result: { ...view, secret } satisfies MintedAgentKey,
      audit: { action: "agent_key.minted", target: agent.slug, after: view },
      publish: [agentChanged(tenantId, agentId)],
    };
  },
});

/** Revokes a key for good. Doing it twice changes nothing more. */
export const revokeAgentKey = defineWrite({
  permission: "agents:write",
  input: revokeAgentKeyInput,
  prepare: requireOwnAgent("revoke a key of an agent of another member"),
  run: async (tx, ctx, { id: agentId, keyId }) => {
    const { tenantId } = ctx;
    const agent = await requireAgent(tx, tenantId, agentId);
    const key = agent.keys.find((candidate) => candidate.id === keyId);
    if (key === undefined) throw new AppError("not_found", "This agent has no such key.");
    const revokedAt = key.revokedAt ?? new Date();
    const row = await tx.agentKey.update({ where: { tenantId_id: { tenantId, id: keyId } }, data: { revokedAt } });
    return {
      result: toKeyView(row),
      audit: { action: "agent_key.revoked", target: agent.slug, before: toKeyView(key), after: toKeyView(row) },
      publish: [agentChanged(tenantId, agentId)],
    };
  },
});

/** The keys of an agent, newest first, without their secrets. */
export const listAgentKeys = defineRead({
  permission: "agents:read",
  input: z.object({ id: z.uuid() }),
  run: async (tx, ctx, { id }) => (await requireAgent(tx, ctx.tenantId, id)).keys.map(toKeyView),
});
