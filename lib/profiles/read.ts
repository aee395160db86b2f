import "server-only";
import { z } from "zod";
import { defineRead } from "@/lib/db/verbs";
import { listCost } from "@/lib/profiles/catalog-cost";
import { readSizedTools, toProfileView } from "@/lib/profiles/internal";
import type { ProfileList } from "@/lib/profiles/schemas";

/** Every profile of the tenant by its slug, and what each costs beside the whole catalog. */
export const listProfiles = defineRead({
  permission: "access:read",
  input: z.object({}),
  run: async (tx, { tenantId }): Promise<ProfileList> => {
    const rows = await tx.profile.findMany({ where: { tenantId }, orderBy: { slug: "asc" } });
    const sized = await readSizedTools(tx, tenantId);
    return {
      items: rows.map((row) => toProfileView(row, sized)),
      nextCursor: null,
      everything: listCost(sized.map(({ bytes }) => bytes)),
    };
  },
});
