import type { Outcome, ToolCall } from "@/lib/gateway/tool-call";
import { execute } from "@/lib/mcp/door/in-flight";
import { jointContents, jointLinks, jointUri } from "@/lib/mcp/door/names";
import type { Visit } from "@/lib/mcp/door/visit";
import { prefixUris } from "@/lib/mcp/upstream/prefix-uris";

/** What of an answer are addresses of its server: links in its content, or the contents that were read as well. */
type Which = "links" | "all";

/** Runs a call. At the joint door its answer names resources as they can be read there, however large it is. */
export function executeInWords(visit: Visit, call: ToolCall, which: Which): Promise<Outcome> {
  const outcome = execute(visit, call);
  return visit.server === null ? outcome.then((done) => inJointWords(visit, call.ref.server, done, which)) : outcome;
}

function inJointWords({ identity }: Visit, server: string, outcome: Outcome, which: Which): Outcome | Promise<Outcome> {
  if (!outcome.ok) return outcome;
  const { large } = outcome;
  const result = jointLinks(server, which === "all" ? jointContents(server, outcome.result) : outcome.result);
  const worded = result === outcome.result ? outcome : { ...outcome, result };
  return large === undefined
    ? worded
    : prefixUris(large, which, jointUri(server, ""), identity).then((moved) => ({ ...worded, large: moved }));
}
