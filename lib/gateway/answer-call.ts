import { callUpstream } from "@/lib/gateway/call-upstream";
import type { DurableIntent } from "@/lib/gateway/durable-intent";
import type { GatewayDeps } from "@/lib/gateway/gateway-deps";
import type { ToolCall } from "@/lib/gateway/tool-call";
import type { UpstreamAnswer } from "@/lib/mcp/upstream/protocol";

type Deps = Pick<GatewayDeps, "upstreams" | "answers" | "inFlight" | "killSwitches" | "retries" | "servers" | "append">;

/** The answer to a call: an earlier one where the tenant wants that for this tool, the server's own otherwise. */
export async function answerCall(gateway: Deps, intent: DurableIntent, call: ToolCall): Promise<UpstreamAnswer> {
  // Only tools have answers to keep, and what a person told the server is for that one call.
  const alone = call.ask === undefined && (call.client?.retry ?? null) === null;
  const place = alone ? await gateway.answers.of(intent.passage.grant, call.args) : null;
  if (place === null) return callUpstream(gateway, intent, call);
  const earlier = await place.get();
  if (earlier !== null) {
    intent.note({ cache: "hit" });
    intent.trace?.say({ "countersign.cache": "hit" });
    return earlier;
  }
  const answer = await callUpstream(gateway, intent, call);
  // A server that could ask the client may have made its answer for that client.
  if (call.client === undefined) place.put(answer);
  return answer;
}
