import "server-only";
import { requirePermission } from "@/lib/audit/perform";
import { requireWithinOwn } from "@/lib/auth/own-permissions";
import { tokenHash } from "@/lib/auth/verify-api-token";
import type { RequestContext } from "@/lib/core/context";
import { AppError } from "@/lib/core/errors";
import { newId, newSecret } from "@/lib/core/ids";
import { defineWrite } from "@/lib/db/verbs";
import { type MintedApiToken, mintApiTokenInput, revokeApiTokenInput } from "@/lib/members/schemas";
import { apiTokenSelect, toApiTokenView } from "@/lib/members/views";

const DAY_MS = 24 * 60 * 60 * 1000;
const PREFIX_LENGTH = 10;

/** A token of one's own for /api/v1, never wider than oneself. The secret is in this answer and nowhere else. */
export const mintApiToken = defineWrite({
  permission: "self",
  input: mintApiTokenInput,
  status: 201,
  run: async (tx, ctx, { name, scopes, expiresInDays }) => {
    const memberId = requireSignedInMember(ctx);
    await requireWithinOwn(ctx, scopes, `mint API token ${name}`);
    const secret = newSecret("cst");
    const row = await tx.apiToken.create({
      data: {
        tenantId: ctx.tenantId,
        id: newId(),
        memberId,
        name,
        prefix: secret.slice(0, PREFIX_LENGTH),
        hash: new Uint8Array(tokenHash(secret)),
        scopes: [...new Set(scopes)].sort(),
        expiresAt: new Date(Date.now() + expiresInDays * DAY_MS),
      },
      select: apiTokenSelect,
    });
    const view = toApiTokenView(row);
    const result: MintedApiToken = { ...view, secret };
    return { result, audit: { action: "api_token.minted", target: row.id, after: view } };
  },
});

/** A token must not renew itself: whoever found one could keep it alive for ever. */
function requireSignedInMember({ actor }: RequestContext): string {
  if (actor.kind !== "user" || actor.authMethod !== "session") {
    throw new AppError("permission_denied", "API tokens are minted by a signed-in person, not by another token.");
  }
  if (actor.memberId === null) throw new AppError("invalid_input", "Choose a tenant first: a token belongs to one.");
  return actor.memberId;
}

/** Ends a token at once. A token ends itself; others, of the same owner too, need their owner's session or members:write. */
export const revokeApiToken = defineWrite({
  permission: "self",
  input: revokeApiTokenInput,
  status: 204,
  run: async (tx, ctx, { id }) => {
    const { tenantId, actor } = ctx;
    const where = { tenantId_id: { tenantId, id } };
    const row = await tx.apiToken.findUnique({ where, select: { ...apiTokenSelect, memberId: true } });
    const own =
      actor.kind === "user" &&
      row?.memberId === actor.memberId &&
      (actor.authMethod === "session" || actor.credentialId === id);
    if (!own) await requirePermission(ctx, "members:write", `revoke API token ${id}`);
    if (row === null || row.revokedAt !== null) throw new AppError("not_found", "There is no such active token.");
    await tx.apiToken.update({ where, data: { revokedAt: new Date() }, select: { id: true } });
    return { result: null, audit: { action: "api_token.revoked", target: id, before: toApiTokenView(row) } };
  },
});
