import type { Identity } from "@/lib/gateway/identity";
import type { Outcome } from "@/lib/gateway/tool-call";

/** Who calls, as a trace may know it: ids only, and of people none. */
export const callerIn = ({ tenantId, actor }: Identity): Record<string, string> => ({
  "countersign.tenant.id": tenantId,
  "countersign.caller.type": actor.type,
  ...(actor.type === "agent" ? { "countersign.agent.id": actor.id } : {}),
});

/** What went wrong, as a trace says it; null where nothing did. */
export const faultOf = (outcome: Outcome): string | null =>
  outcome.ok ? (outcome.result["isError"] === true ? "tool_error" : null) : outcome.error.code;
