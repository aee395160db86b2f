import { AppError, type FieldIssue } from "@/lib/core/errors";
import type { Denial, Grant } from "@/lib/gateway/authorize";
import type { Notes } from "@/lib/gateway/durable-intent";
import type { ToolCall } from "@/lib/gateway/tool-call";
import { checkArguments } from "@/lib/servers/arguments/argument-check";

/**
 * Throws `invalid_arguments` for a call that the tool's definition does not allow: the server is not asked, and no circuit
 * hears of it. Where nobody can tell, the call goes on and its intent says so; the server checks for itself anyway.
 */
export function validateArguments(
  { tool, decision, map }: Grant,
  call: Pick<ToolCall, "args" | "ask">,
  note: (notes: Notes) => void,
): void {
  if (call.ask !== undefined) return;
  const verdict = checkArguments(tool, call.args);
  if (verdict.kind === "fit") return;
  if (verdict.kind === "unchecked") {
    note({ unchecked: verdict.why });
    return;
  }
  const text = `The arguments do not fit what the tool asks for: ${verdict.faults.map(inWords).join(", ")}. Nothing was called. Correct them and call again.`;
  throw new AppError("invalid_arguments", text, { issues: verdict.faults }, { decision, map } satisfies Denial);
}

const inWords = ({ path, rule }: FieldIssue): string => `${path === "" ? "the whole" : path} ${rule}`;
