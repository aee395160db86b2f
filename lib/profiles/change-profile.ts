import "server-only";
import { AppError } from "@/lib/core/errors";
import { newId } from "@/lib/core/ids";
import type { TenantTx } from "@/lib/db/in-tenant";
import { defineWrite } from "@/lib/db/verbs";
import { auditedProfile, profileChanged, readProfileView } from "@/lib/profiles/internal";
import { changeProfileInput, createProfileInput, profileRef } from "@/lib/profiles/schemas";

async function requireFreeSlug(tx: TenantTx, tenantId: string, slug: string): Promise<void> {
  // The lock makes the second of two at once wait and then see the first.
  await tx.$executeRaw`select pg_advisory_xact_lock(hashtextextended(${`profile_slug:${tenantId}:${slug}`}, 0))`;
  if ((await tx.profile.findUnique({ where: { tenantId_slug: { tenantId, slug } }, select: { id: true } })) === null)
    return;
  throw new AppError("conflict", `There is a profile called ${slug} already.`, {
    issues: [{ path: "slug", rule: "is taken by another profile" }],
  });
}

/** Names a part of the catalog and opens a door for it. It gives nobody anything: decide() has the last word there too. */
export const createProfile = defineWrite({
  permission: "access:write",
  input: createProfileInput,
  status: 201,
  run: async (tx, { tenantId }, input) => {
    await requireFreeSlug(tx, tenantId, input.slug);
    const id = newId();
    await tx.profile.create({ data: { ...input, tenantId, id } });
    const profile = await readProfileView(tx, tenantId, id);
    return {
      result: profile,
      audit: { action: "profile.created", target: profile.slug, after: auditedProfile(profile) },
      publish: [profileChanged(tenantId)],
    };
  },
});

/** Changes what belongs, or how it is served; its slug is its address and stays. */
export const changeProfile = defineWrite({
  permission: "access:write",
  input: changeProfileInput,
  run: async (tx, { tenantId }, { id, ...fields }) => {
    const before = await readProfileView(tx, tenantId, id);
    const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
    await tx.profile.update({ where: { tenantId_id: { tenantId, id } }, data: { ...given, updatedAt: new Date() } });
    const after = await readProfileView(tx, tenantId, id);
    return {
      result: after,
      audit: {
        ...{ action: "profile.changed" as const, target: after.slug },
        ...{ before: auditedProfile(before), after: auditedProfile(after) },
      },
      publish: [profileChanged(tenantId)],
    };
  },
});

/** Closes the door for good. */
export const deleteProfile = defineWrite({
  permission: "access:write",
  input: profileRef,
  status: 204,
  run: async (tx, { tenantId }, { id, reason }) => {
    const profile = await readProfileView(tx, tenantId, id);
    await tx.profile.delete({ where: { tenantId_id: { tenantId, id } } });
    return {
      result: null,
      audit: {
        ...{ action: "profile.deleted" as const, target: profile.slug, before: auditedProfile(profile) },
        ...(reason === undefined ? {} : { reason }),
      },
      publish: [profileChanged(tenantId)],
    };
  },
});
