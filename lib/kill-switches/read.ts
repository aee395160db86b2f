import "server-only";
import { z } from "zod";
import { defineRead } from "@/lib/db/verbs";
import type { KillSwitchView } from "@/lib/kill-switches/schemas";
import { toKillSwitchView } from "@/lib/kill-switches/views";

const LIFTED_SHOWN = 50;

/** Every switch in force, then the latest that were lifted. */
export const listKillSwitches = defineRead({
  permission: "tenant:read",
  input: z.object({}),
  run: async (tx, { tenantId }): Promise<readonly KillSwitchView[]> => {
    const thrown = await tx.killSwitch.findMany({ where: { tenantId, liftedAt: null }, orderBy: { thrownAt: "desc" } });
    const lifted = await tx.killSwitch.findMany({
      where: { tenantId, liftedAt: { not: null } },
      orderBy: { liftedAt: "desc" },
      take: LIFTED_SHOWN,
    });
    return [...thrown, ...lifted].map(toKillSwitchView);
  },
});
