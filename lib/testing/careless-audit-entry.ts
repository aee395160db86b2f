import { newId } from "@/lib/core/ids";
import { openAuditEntry as openHonest } from "@/lib/gateway/audit-entry";
import type { GatewayDeps } from "@/lib/gateway/gateway-deps";

/**
 * The negative control of the crash test: a gateway that answers first and records afterwards, as many do.
 * It takes the place of the real module in a build of the test's own; the product has no such switch.
 */
export function openAuditEntry(
  ...[gateway, call, trace]: Parameters<typeof openHonest>
): ReturnType<typeof openHonest> {
  const append: GatewayDeps["append"] = (draft) => {
    const eventId = draft.eventId ?? newId();
    gateway.append({ ...draft, eventId }).catch(() => undefined);
    return Promise.resolve({ tenantId: draft.tenantId, eventId, seq: 0, hash: "" });
  };
  return openHonest({ ...gateway, append }, call, trace);
}
