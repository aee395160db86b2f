import "server-only";
import { toAppError } from "@/lib/core/errors";
import { answerCall } from "@/lib/gateway/answer-call";
import { type Attempted, type AuditEntry, openAuditEntry } from "@/lib/gateway/audit-entry";
import { authenticate } from "@/lib/gateway/authenticate";
import { authorize } from "@/lib/gateway/authorize";
import type { Passage } from "@/lib/gateway/circuits";
import { decideAgain } from "@/lib/gateway/decide-again";
import type { GatewayDeps } from "@/lib/gateway/gateway-deps";
import { requireAlive } from "@/lib/gateway/require-alive";
import { serversFor } from "@/lib/gateway/servers-for";
import { spendRateLimit } from "@/lib/gateway/spend-rate-limit";
import type { Outcome, ToolCall } from "@/lib/gateway/tool-call";
import { callerIn, faultOf } from "@/lib/gateway/traced-words";
import { validateArguments } from "@/lib/gateway/validate-arguments";
import { openCallTrace } from "@/lib/telemetry/call-trace";
import type { CallTrace } from "@/lib/telemetry/tracing";

/** The road of every tool call, whatever door it came through. Never throws; what it returns is recorded. */
export async function executeToolCall(gateway: GatewayDeps, call: ToolCall): Promise<Outcome> {
  const trace = openCallTrace(call.ask?.method ?? "tools/call", call.entrance.arrival);
  const entry = openAuditEntry(gateway, call, trace);
  const attempted = await attempt(gateway, call, entry, trace);
  trace?.enter("outcome");
  const outcome = await entry.close(attempted);
  trace?.end(outcome.entry, faultOf(outcome));
  return outcome;
}

async function attempt(
  gateway: GatewayDeps,
  call: ToolCall,
  entry: AuditEntry,
  trace: CallTrace | null,
): Promise<Attempted> {
  let passage: Passage | null = null;
  try {
    const identity = await authenticate(gateway, call.credential);
    entry.identify(identity);
    trace?.say(callerIn(identity));
    trace?.enter("authorize");
    const map = await gateway.permissionMap(identity.tenantId);
    const grant = authorize(identity, map, await serversFor(gateway, call, identity), call.ref, call.ask);
    trace?.name(grant.server.slug, call.ask === undefined ? grant.ref.tool : null);
    trace?.enter("limits");
    await requireAlive(gateway, grant);
    await spendRateLimit(gateway, grant, entry.note);
    trace?.enter("arguments");
    validateArguments(grant, call, entry.note);
    trace?.enter("circuit");
    // Asked before the intent is written, so that a refusal is one entry and an intent is always a call.
    const entered = gateway.circuits.enter(grant, call.signal);
    passage = entered instanceof Promise ? await entered : entered;
    if (passage.waitedMs > 0) passage = await decideAgain(gateway, call, passage, entry.note);
    trace?.enter("intent");
    const intent = await entry.recordIntent(passage);
    return { ok: true, answer: await answerCall(gateway, intent, call) };
  } catch (cause) {
    const error = toAppError(cause);
    trace?.fail(error.code);
    return { ok: false, error };
  } finally {
    passage?.leave("abstain");
  }
}
