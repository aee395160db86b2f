import "server-only";
import { env } from "@/lib/env";

/** What the operator set for the whole installation, in calls per second. */
export const operatorLimits = () => {
  const { RATE_LIMIT_GLOBAL, RATE_LIMIT_TENANT, RATE_LIMIT_AGENT } = env();
  return { global: RATE_LIMIT_GLOBAL, tenant: RATE_LIMIT_TENANT, agent: RATE_LIMIT_AGENT };
};
