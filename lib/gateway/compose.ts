import "server-only";
import { currentPermissionMap } from "@/lib/access/permission-map";
import { processCount, stopCountingProcesses } from "@/lib/audit/process-count";
import { makeRefusalLedger } from "@/lib/audit/refusal-ledger";
import { trail } from "@/lib/audit/trail";
import { checkAgentKey } from "@/lib/auth/verify-agent-key";
import { steadyClock } from "@/lib/core/clock";
import { resetSingleton, singleton } from "@/lib/core/singleton";
import { redisCounts } from "@/lib/db/redis-counts";
import { env } from "@/lib/env";
import { makeAnswerCache } from "@/lib/gateway/answer-cache";
import { circuits } from "@/lib/gateway/circuits";
import { closeInteractiveUpstreams } from "@/lib/gateway/converse";
import { closeEars } from "@/lib/gateway/ears";
import type { GatewayDeps } from "@/lib/gateway/gateway-deps";
import { makeInFlightCalls } from "@/lib/gateway/in-flight-calls";
import { makeRateLimits } from "@/lib/gateway/rate-limits";
import { makeRetries } from "@/lib/gateway/retries";
import { makeUpstreams } from "@/lib/gateway/upstreams";
import { currentKillSet } from "@/lib/kill-switches/current";
import { provideCacheViews } from "@/lib/limits/cache-views";
import { currentHandling } from "@/lib/limits/current-handling";
import { currentLimits } from "@/lib/limits/current-limits";
import { operatorLimits } from "@/lib/limits/operator-limits";
import { enabledServers } from "@/lib/servers/registry";

/** The one place where the road meets the real rooms. */
function compose(): GatewayDeps {
  const append: GatewayDeps["append"] = (draft) => trail().append(draft);
  const settings = env();
  const rateLimiting: GatewayDeps["rateLimiting"] = {
    limits: currentLimits,
    operator: operatorLimits(),
    rates: makeRateLimits({
      processes: processCount,
      shared: settings.REDIS_URL === undefined ? null : redisCounts,
    }),
  };
  const answers = makeAnswerCache({ handling: currentHandling });
  provideCacheViews(answers.views);
  return {
    checkKey: (secret) => checkAgentKey(secret),
    permissionMap: currentPermissionMap,
    servers: enabledServers,
    append,
    refusals: makeRefusalLedger({ append, owe: (draft) => trail().owe(draft) }),
    rateLimiting,
    killSwitches: currentKillSet,
    inFlight: makeInFlightCalls(currentKillSet),
    retries: makeRetries({ clock: steadyClock, handling: currentHandling }),
    answers,
    circuits: circuits(),
    upstreams: makeUpstreams({ current: async (tenantId) => (await enabledServers(tenantId)).values() }),
  };
}

/** The gateway of this process. */
export const getGateway = (): GatewayDeps => singleton("gateway", compose);

/** Ends what the gateway holds open; what it has counted is written first. */
export async function closeGateway(): Promise<void> {
  const gateway = getGateway();
  await gateway.refusals.flush();
  gateway.inFlight.close();
  gateway.answers.close();
  stopCountingProcesses();
  gateway.circuits.close();
  await gateway.upstreams.close();
  closeEars();
  await closeInteractiveUpstreams();
  resetSingleton("gateway");
  resetSingleton("gateway.circuits");
}
