import type { EntryDraft } from "@/lib/audit/entry";
import { CutSide } from "@/lib/audit/payload";
import { AppError, type ErrorCode, toAppError } from "@/lib/core/errors";
import { newId } from "@/lib/core/ids";
import { logger } from "@/lib/core/logger";
import { type Denial, denialOf } from "@/lib/gateway/authorize";
import type { Passage } from "@/lib/gateway/circuits";
import type { DurableIntent, Notes } from "@/lib/gateway/durable-intent";
import { type Draft, draftOf, type Writable } from "@/lib/gateway/entry-drafts";
import type { GatewayDeps } from "@/lib/gateway/gateway-deps";
import type { Identity } from "@/lib/gateway/identity";
import { recordRefusedKey } from "@/lib/gateway/record-request";
import type { Outcome, ToolCall } from "@/lib/gateway/tool-call";
import type { UpstreamAnswer } from "@/lib/mcp/upstream/protocol";
import type { CallTrace } from "@/lib/telemetry/tracing";

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
export const openAuditEntry = (gateway: Deps, call: ToolCall, trace: CallTrace | null): AuditEntry =>
  new CallEntry(gateway, call, trace);

class CallEntry implements AuditEntry {
  private readonly gateway: Deps;
  private readonly call: ToolCall;
  private readonly trace: CallTrace | null;
  private readonly times: Times = { startedAt: performance.now(), intentFrom: 0, upstreamFrom: 0 };
  private readonly callId: string;
  private readonly notes: Writable<Notes> = noNotes();
  private identity: Identity | null = null;
  private passage: Passage | null = null;
  private intentId: string | null = null;

  constructor(gateway: Deps, call: ToolCall, trace: CallTrace | null) {
    this.gateway = gateway;
    this.call = call;
    this.callId = call.client?.callId ?? newId();
    this.trace = trace;
  }

  identify(identity: Identity): void {
    this.identity = identity;
  }

  readonly note = (more: Notes): void => {
    const { notes } = this;
    notes.limit = more.limit ?? notes.limit;
    notes.cache = more.cache ?? notes.cache;
    notes.retryNo = more.retryNo ?? notes.retryNo;
    notes.unchecked = more.unchecked ?? notes.unchecked;
  };

  async recordIntent(passage: Passage): Promise<DurableIntent> {
    this.passage = passage;
    const draft = this.common(passage.grant.identity);
    draft.phase = "intent";
    draft.eventType = "tool_call.started";
    draft.outcome = "pending";
    draft.decision = "allowed";
    draft.payload = { arguments: this.call.args, inputResponses: this.call.client?.retry?.["inputResponses"] };
    if (this.notes.unchecked !== undefined) addUnchecked(draft, this.notes.unchecked);
    this.times.intentFrom = performance.now();
    const { eventId } = await this.gateway.append(draft as EntryDraft);
    this.intentId = eventId;
    this.times.upstreamFrom = performance.now();
    return { passage, note: this.note, trace: this.trace } as DurableIntent;
  }

  async close(attempted: Attempted): Promise<Outcome> {
    const { times, intentId, call } = this;
    const limit = this.notes.limit ?? null;
    try {
      const entry = await this.write(attempted);
      const latencyMs = ms(times.startedAt);
      return attempted.ok
        ? { ok: true, entry, latencyMs, limit, result: attempted.answer.result, large: attempted.answer.large }
        : { ok: false, entry, latencyMs, limit, error: attempted.error };
    } catch (cause) {
      // What cannot be recorded is not released: the trail will say `unknown`, and so do we.
      const { requestId } = call.entrance;
      logger.error({ err: cause, callId: this.callId, requestId }, "a call could not be recorded");
      const error = unrecorded(cause, intentId !== null);
      return { ok: false, entry: intentId, latencyMs: ms(times.startedAt), limit, error };
    }
  }

  private async write(attempted: Attempted): Promise<string> {
    const { identity, notes, intentId } = this;
    if (identity === null) return writeStranger(this.gateway, this.call, attempted);
    const draft = this.common(identity);
    addEnd(draft, attempted, intentId !== null);
    draft.phase = "outcome";
    addTimes(draft, this.times, this.passage, notes.cache !== undefined);
    if (notes.cache !== undefined) draft.cache = notes.cache;
    if (notes.retryNo !== undefined) draft.retryNo = notes.retryNo;
    // The arguments of a call that ran are with its intent.
    if (intentId === null) draft.payload = { arguments: this.call.args };
    return (await this.gateway.append(draft as EntryDraft)).eventId;
  }

  /** What intent and outcome have in common. */
  private common(identity: Identity): Draft {
    const { call, passage } = this;
    const draft = draftOf(identity, call.entrance, this.trace?.context);
    draft.callId = this.callId;
    draft.tool = call.ref.tool;
    if (call.ask !== undefined) draft.target = `${call.ask.method} ${call.ask.target}`.slice(0, 500);
    if (call.ref.server !== "") draft.server = call.ref.server;
    if (passage !== null) addGrant(draft, passage);
    return draft;
  }
}

/** With a place for each, so that all calls have the same. */
const noNotes = (): Writable<Notes> => ({
  limit: undefined,
  cache: undefined,
  retryNo: undefined,
  unchecked: undefined,
});

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

function addEnd(draft: Draft, attempted: Attempted, ran: boolean): void {
  if (attempted.ok) addAnswer(draft, attempted.answer);
  else if (ran) addFailure(draft, attempted.error);
  else addRefusal(draft, attempted.error);
}

function addAnswer(draft: Draft, { result, bytes, large }: UpstreamAnswer): void {
  draft.eventType = "tool_call.finished";
  draft.decision = "allowed";
  draft.bytesOut = bytes;
  draft.payload = { result: large === undefined ? result : new CutSide(large.digest) };
  const isError = result["isError"] === true;
  draft.outcome = isError ? "failure" : "success";
  if (isError) draft.reasonCode = "tool_error";
  // Not done yet: the server wants something from the client first.
  else if (result["resultType"] === "input_required") draft.reasonCode = "input_required";
}

function addFailure(draft: Draft, { code, message }: AppError): void {
  draft.eventType = "tool_call.finished";
  draft.outcome = "failure";
  draft.decision = "allowed";
  draft.reasonCode = code;
  draft.reason = message;
  draft.payload = { error: { code, message } };
}

function addRefusal(draft: Draft, error: AppError): void {
  const denial = denialOf(error);
  if (denial !== null) addDecision(draft, denial);
  draft.reasonCode = error.code;
  draft.reason = error.message;
  const isDenial = DENIALS.has(error.code);
  draft.eventType = isDenial ? "tool_call.denied" : "tool_call.refused";
  draft.outcome = isDenial ? "denied" : "failure";
  if (isDenial) draft.decision = "denied";
}

/** A call by nobody we know. */
function writeStranger(gateway: Deps, call: ToolCall, attempted: Attempted): Promise<string> {
  if (attempted.ok) throw new AppError("internal", "An answer without an identity.");
  return recordRefusedKey(gateway, call.entrance, attempted.error);
}
