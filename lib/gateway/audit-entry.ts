import type { EntryDraft } from "@/lib/audit/entry";
import { AppError, type ErrorCode, toAppError } from "@/lib/core/errors";
import { newId } from "@/lib/core/ids";
import { logger } from "@/lib/core/logger";
import { type Denial, denialOf } from "@/lib/gateway/authorize";
import type { Passage } from "@/lib/gateway/circuits";
import { type Draft, draftOf } from "@/lib/gateway/entry-drafts";
import type { GatewayDeps } from "@/lib/gateway/gateway-deps";
import type { Identity } from "@/lib/gateway/identity";
import type { LimitState } from "@/lib/gateway/rate-limits";
import { recordRefusedKey } from "@/lib/gateway/record-request";
import type { Outcome, ToolCall } from "@/lib/gateway/tool-call";
import type { UpstreamAnswer } from "@/lib/mcp/upstream/protocol";
import type { CallTrace } from "@/lib/telemetry/call-trace";

declare const proof: unique symbol;

/** Proof that the intent of this call is in the trail for good. Only `recordIntent` makes one. */
export type DurableIntent = {
  readonly passage: Passage;
  /** Tells what the outcome should say besides. */
  readonly note: (notes: Notes) => void;
  readonly trace: CallTrace | null;
  readonly [proof]: "intent";
};

/** What stages learn about a call on its way. */
export type Notes = {
  /** What is left of the caller's limits. */
  readonly limit?: LimitState;
  readonly cache?: "hit";
  readonly retryNo?: number;
  /** Why nobody could tell whether the arguments are what the tool asks for. */
  readonly unchecked?: string;
};

/** How an attempt ended, before it is recorded. */
export type Attempted =
  | { readonly ok: true; readonly answer: UpstreamAnswer }
  | { readonly ok: false; readonly error: AppError };

/** The trace of one call in the trail: intent and outcome, or a single refusal. */
export type AuditEntry = {
  readonly identify: (identity: Identity) => void;
  readonly note: (notes: Notes) => void;
  readonly recordIntent: (passage: Passage) => Promise<DurableIntent>;
  /** Records the end; what it returns may be released. */
  readonly close: (attempted: Attempted) => Promise<Outcome>;
};

type Deps = Pick<GatewayDeps, "append" | "refusals">;

/** Opens the trace of a call. Nothing is written until it is known who calls. */
export function openAuditEntry(gateway: Deps, call: ToolCall, trace: CallTrace | null): AuditEntry {
  const times: Times = { startedAt: performance.now(), intentFrom: 0, upstreamFrom: 0 };
  const callId = newId();
  let identity: Identity | null = null;
  let passage: Passage | null = null;
  let intentId: string | null = null;
  let notes: Notes = NOTHING;
  const note = (more: Notes): void => {
    notes = { ...notes, ...more };
  };

  /** What intent and outcome have in common. */
  function common(known: Identity): Draft {
    const draft = draftOf(known, call.entrance, trace?.context);
    draft.callId = callId;
    draft.tool = call.ref.tool;
    if (call.ask !== undefined) draft.target = `${call.ask.method} ${call.ask.target}`.slice(0, 500);
    if (call.ref.server !== "") draft.server = call.ref.server;
    if (passage !== null) addGrant(draft, passage);
    return draft;
  }

  async function write(attempted: Attempted): Promise<string> {
    if (identity === null) return writeStranger(gateway, call, attempted);
    const draft = Object.assign(common(identity), endOf(attempted, intentId !== null));
    draft.phase = "outcome";
    addTimes(draft, times, passage, notes.cache !== undefined);
    if (notes.cache !== undefined) draft.cache = notes.cache;
    if (notes.retryNo !== undefined) draft.retryNo = notes.retryNo;
    // The arguments of a call that ran are with its intent.
    if (intentId === null) draft.payload = { arguments: call.args };
    return (await gateway.append(draft as EntryDraft)).eventId;
  }

  return {
    identify(known) {
      identity = known;
    },
    note,
    async recordIntent(entered) {
      passage = entered;
      const draft = common(entered.grant.identity);
      draft.phase = "intent";
      draft.eventType = "tool_call.started";
      draft.outcome = "pending";
      draft.decision = "allowed";
      draft.payload = { arguments: call.args };
      if (notes.unchecked !== undefined) addUnchecked(draft, notes.unchecked);
      times.intentFrom = performance.now();
      const { eventId } = await gateway.append(draft as EntryDraft);
      intentId = eventId;
      times.upstreamFrom = performance.now();
      return { passage: entered, note, trace } as DurableIntent;
    },
    async close(attempted) {
      try {
        const entry = await write(attempted);
        const latencyMs = ms(times.startedAt);
        const limit = notes.limit ?? null;
        return attempted.ok
          ? { ok: true, entry, latencyMs, limit, result: attempted.answer.result }
          : { ok: false, entry, latencyMs, limit, error: attempted.error };
      } catch (cause) {
        // What cannot be recorded is not released: the trail will say `unknown`, and so do we.
        logger.error({ err: cause, callId, requestId: call.entrance.requestId }, "a call could not be recorded");
        return {
          ok: false,
          entry: intentId,
          latencyMs: ms(times.startedAt),
          limit: notes.limit ?? null,
          error: unrecorded(cause, intentId !== null),
        };
      }
    },
  };
}

/** Moments of a call (performance.now()); 0 while they have not come. */
type Times = { readonly startedAt: number; intentFrom: number; upstreamFrom: number };

function addTimes(draft: Draft, times: Times, passage: Passage | null, isKept: boolean): void {
  const { startedAt, intentFrom, upstreamFrom } = times;
  draft.latencyMs = ms(startedAt);
  if (passage === null) return;
  draft.queueMs = passage.waitedMs;
  if (upstreamFrom === 0) return;
  draft.policyMs = Math.max(0, intentFrom - startedAt - passage.waitedMs);
  draft.auditMs = upstreamFrom - intentFrom;
  if (!isKept) draft.upstreamMs = ms(upstreamFrom);
}

const ms = (since: number): number => Math.round((performance.now() - since) * 1_000) / 1_000;

function unrecorded(cause: unknown, mayHaveRun: boolean): AppError {
  const text = mayHaveRun
    ? "The answer is withheld because the audit trail could not record it. The call may have had an effect."
    : "The call was refused because the audit trail cannot record it now.";
  return new AppError("audit_unavailable", text, { retryAfterMs: 1_000 }, toAppError(cause));
}

const NOTHING = {};

function addUnchecked(draft: Draft, why: string): void {
  draft.reasonCode = "arguments_unchecked";
  draft.reason = `The arguments were not checked. ${why}`;
}

function addGrant(draft: Draft, { grant, circuitState }: Passage): void {
  draft.serverId = grant.server.id;
  draft.toolDefinitionSha256 = grant.tool.sha256;
  draft.circuitState = circuitState;
  addDecision(draft, grant);
}

function addDecision(draft: Draft, { decision, map }: Denial): void {
  draft.permission = decision.needed;
  draft.ruleId = decision.rule;
  draft.policyVersion = map.version;
  draft.policySha256 = map.sha256;
}

/** Refusals that decide about the caller; all others are failures of the moment. */
const DENIALS: ReadonlySet<ErrorCode> = new Set(["permission_denied", "rate_limited", "killed"]);

/** Not done yet: the server wants something from the client first. */
const INPUT_REQUIRED = { reasonCode: "input_required" };

type End = Pick<EntryDraft, "eventType" | "outcome"> & Partial<EntryDraft>;

function endOf(attempted: Attempted, ran: boolean): End {
  if (attempted.ok) return answered(attempted.answer);
  return ran ? failed(attempted.error) : refused(attempted.error);
}

function answered({ result, bytes }: UpstreamAnswer): End {
  const end = { eventType: "tool_call.finished", decision: "allowed", bytesOut: bytes, payload: { result } } as const;
  return result["isError"] === true
    ? { ...end, outcome: "failure", reasonCode: "tool_error" }
    : { ...end, outcome: "success", ...(result["resultType"] === "input_required" ? INPUT_REQUIRED : NOTHING) };
}

function failed({ code, message }: AppError): End {
  const told = { reasonCode: code, reason: message, payload: { error: { code, message } } };
  return { ...told, eventType: "tool_call.finished", outcome: "failure", decision: "allowed" };
}

function refused(error: AppError): End {
  const told = { reasonCode: error.code, reason: error.message };
  const denial = denialOf(error);
  const ground: Draft | object = {};
  if (denial !== null) addDecision(ground as Draft, denial);
  return DENIALS.has(error.code)
    ? { ...ground, ...told, eventType: "tool_call.denied", outcome: "denied", decision: "denied" }
    : { ...ground, ...told, eventType: "tool_call.refused", outcome: "failure" };
}

/** A call by nobody we know. */
function writeStranger(gateway: Deps, call: ToolCall, attempted: Attempted): Promise<string> {
  if (attempted.ok) throw new AppError("internal", "An answer without an identity.");
  return recordRefusedKey(gateway, call.entrance, attempted.error);
}
