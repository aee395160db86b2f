import { AppError, toAppError } from "@/lib/core/errors";
import { soon } from "@/lib/core/soon";
import type { DurableIntent } from "@/lib/gateway/audit-entry";
import type { Grant } from "@/lib/gateway/authorize";
import { counterpart, patienceOf } from "@/lib/gateway/converse";
import type { GatewayDeps } from "@/lib/gateway/gateway-deps";
import { requireAlive } from "@/lib/gateway/require-alive";
import { requireReachable, serverNow, switchedOff } from "@/lib/gateway/require-reachable";
import { withRetries } from "@/lib/gateway/retries";
import { ServerTime } from "@/lib/gateway/server-time";
import type { ToolCall } from "@/lib/gateway/tool-call";
import { voteOf } from "@/lib/mcp/upstream/faults";
import type { UpstreamAnswer } from "@/lib/mcp/upstream/protocol";
import type { Vote } from "@/lib/resilience/circuit";
import { startDeadline } from "@/lib/resilience/deadline";

/** Calls the tool, at most until the server's deadline, which begins here, and tells the circuit how it went. Takes proof that the intent is durable. */
export async function callUpstream(
  gateway: Pick<GatewayDeps, "upstreams" | "inFlight" | "killSwitches" | "retries" | "servers">,
  intent: DurableIntent,
  call: ToolCall,
): Promise<UpstreamAnswer> {
  const { passage } = intent;
  const { server, tool } = passage.grant;
  const deadline = startDeadline(patienceOf(call) + server.deadlineMs, call.signal);
  const time = new ServerTime();
  const watched = time.watch(call);
  const land = gateway.inFlight.enter(passage.grant, deadline.kill);
  try {
    // A switch that was thrown while the intent was written is seen here; a later one finds the call in flight.
    await requireAlive(gateway, passage.grant);
    const ask = (grant: Grant) => {
      time.begin();
      return counterpart(gateway, grant, watched).request({
        method: "tools/call",
        params: { name: tool.definition.name, arguments: call.args },
        deadline,
        inputSchema: tool.definition.inputSchema,
        onProgress: call.onProgress,
        passesOn: true,
        trace: intent.trace?.toServer(),
      });
    };
    const answer = await withRetries(gateway.retries, intent, deadline, () =>
      soon(requireReachable(gateway, passage.grant, call), ask),
    );
    passage.leave("success", undefined, time.tookMs());
    return answer;
  } catch (cause) {
    const tookMs = time.tookMs();
    const { error, vote } = await judge(gateway, passage.grant, call, toAppError(cause));
    passage.leave(vote, error.code, tookMs);
    throw inWords(error, server.slug, server.deadlineMs);
  } finally {
    land();
    deadline.release();
  }
}

type Judged = { readonly error: AppError; readonly vote: Vote };

/** What a failure says of the server. Where a person disabled or changed it meanwhile, it was we who closed its connections. */
async function judge(
  gateway: Pick<GatewayDeps, "servers">,
  grant: Grant,
  call: ToolCall,
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

/** Names the server: an agent that sees many must know which one failed. */
function inWords(error: AppError, slug: string, deadlineMs: number): AppError {
  if (error.code !== "upstream_timeout") return error;
  const text = `The server ${slug} did not answer within ${deadlineMs} ms. The call may still have had an effect there.`;
  return new AppError("upstream_timeout", text, error.detail, error.cause);
}
