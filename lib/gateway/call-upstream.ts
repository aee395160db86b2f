import { AppError, toAppError } from "@/lib/core/errors";
import { soon } from "@/lib/core/soon";
import type { Grant } from "@/lib/gateway/authorize";
import { counterpart, patienceOf } from "@/lib/gateway/converse";
import type { DurableIntent } from "@/lib/gateway/durable-intent";
import type { GatewayDeps } from "@/lib/gateway/gateway-deps";
import { judgeFailure } from "@/lib/gateway/judge-failure";
import { requireAlive } from "@/lib/gateway/require-alive";
import { requireReachable } from "@/lib/gateway/require-reachable";
import { withRetries } from "@/lib/gateway/retries";
import { ServerTime } from "@/lib/gateway/server-time";
import type { ToolCall } from "@/lib/gateway/tool-call";
import type { UpstreamAnswer } from "@/lib/mcp/upstream/protocol";
import { makeDeadline } from "@/lib/resilience/deadline";

/** Calls the tool, at most until the server's deadline, which begins when it is asked, and tells the circuit how it went. Takes proof that the intent is durable. */
export async function callUpstream(
  gateway: Pick<GatewayDeps, "upstreams" | "inFlight" | "killSwitches" | "retries" | "servers" | "append">,
  intent: DurableIntent,
  call: ToolCall,
): Promise<UpstreamAnswer> {
  const { passage } = intent;
  const { server, tool } = passage.grant;
  const deadline = makeDeadline(call.signal);
  const time = new ServerTime();
  const watched = time.watch(call);
  const land = gateway.inFlight.enter(passage.grant, deadline.kill);
  try {
    // A switch that was thrown while the intent was written is seen here; a later one finds the call in flight.
    await requireAlive(gateway, passage.grant);
    const ask = (grant: Grant, retryNo: number) => {
      // Here, because who leaves in the pause before, or finds the server switched off, was not tried again.
      if (retryNo > 0 && deadline.stopped() === null) intent.note({ retryNo });
      // Not before: what we read ourselves until here is no time of the server's, which has not heard of the call yet.
      deadline.begin(patienceOf(call) + server.deadlineMs);
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
    const answer = await withRetries(gateway.retries, intent, deadline, (retryNo) =>
      soon(requireReachable(gateway, passage.grant, call), (grant) => ask(grant, retryNo)),
    );
    passage.leave("success", undefined, time.tookMs());
    return answer;
  } catch (cause) {
    const tookMs = time.tookMs();
    const { error, vote } = await judgeFailure(gateway, passage.grant, call, toAppError(cause));
    passage.leave(vote, error, tookMs);
    throw inWords(error, server.slug, server.deadlineMs);
  } finally {
    land();
    deadline.release();
  }
}

/** Names the server: an agent that sees many must know which one failed. */
function inWords(error: AppError, slug: string, deadlineMs: number): AppError {
  if (error.code !== "upstream_timeout") return error;
  const text = `The server ${slug} did not answer within ${deadlineMs} ms. The call may still have had an effect there.`;
  return new AppError("upstream_timeout", text, error.detail, error.cause);
}
