import type { RequestContext } from "@/lib/core/context";
import { newId } from "@/lib/core/ids";

/** The demo acts in the open: its entries in the trail name it as the actor. */
export const seedContext = (tenantId: string, permission: "admin:*" | "platform:*"): RequestContext => ({
  requestId: newId(),
  tenantId,
  actor: { kind: "system", job: "demo-seed" },
  permissions: new Set([permission]),
  ip: null,
  userAgent: null,
});
