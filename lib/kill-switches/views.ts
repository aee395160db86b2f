import type { KillSwitch } from "@/lib/generated/prisma/client";
import type { KillKind, KillSwitchView } from "@/lib/kill-switches/schemas";

export const toKillSwitchView = (row: KillSwitch): KillSwitchView => ({
  id: row.id,
  kind: row.kind as KillKind,
  target: row.target,
  reason: row.reason,
  thrownBy: row.thrownBy,
  thrownAt: row.thrownAt.toISOString(),
  liftedAt: row.liftedAt?.toISOString() ?? null,
  liftedBy: row.liftedBy,
});
