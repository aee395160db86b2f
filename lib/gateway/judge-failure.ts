import type { AppError } from "@/lib/core/errors";
import type { Grant } from "@/lib/gateway/authorize";
import type { GatewayDeps } from "@/lib/gateway/gateway-deps";
import { serverNow, switchedOff } from "@/lib/gateway/require-reachable";
import type { ToolCall } from "@/lib/gateway/tool-call";
import { voteOf } from "@/lib/mcp/upstream/faults";
import type { Vote } from "@/lib/resilience/circuit";

type Judged = { readonly error: AppError; readonly vote: Vote };

/** What a failure says of the server. Where a person disabled or changed it meanwhile, it was we who closed its connections. */
export async function judgeFailure(
  gateway: Pick<GatewayDeps, "servers">,
  grant: Grant,
  call: Pick<ToolCall, "server">,
  error: AppError,
): Promise<Judged> {
  const vote = voteOf(error);
  if (vote !== "failure") return { error, vote };
  try {
    const now = await serverNow(gateway, grant, call);
    if (now?.version === grant.server.version) return { error, vote };
    const isOurDoing = now === undefined && error.code === "upstream_unreachable";
    return { error: isOurDoing ? switchedOff(grant, error) : error, vote: "abstain" };
  } catch {
    // Nobody can tell how the server stands: then the failure counts.
    return { error, vote };
  }
}
