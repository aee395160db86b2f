import { LRUCache } from "lru-cache";
import type { Clock } from "@/lib/core/clock";
import { type AppError, toAppError } from "@/lib/core/errors";
import { type Soon, soon } from "@/lib/core/soon";
import type { Grant } from "@/lib/gateway/authorize";
import type { DurableIntent } from "@/lib/gateway/durable-intent";
import type { Handling } from "@/lib/limits/current-handling";
import type { RetryPolicy } from "@/lib/limits/schemas";
import type { Deadline } from "@/lib/resilience/deadline";
import { makeRetryBudget, type RetryBudget } from "@/lib/resilience/retry-budget";

/** Second tries of calls that change nothing, or change the same thing twice. */
export type Retries = {
  /** Counts a call, and says how to go on when it fails. */
  readonly begin: (grant: Grant) => Soon<NextTry>;
};
/** How long to wait before the next try; null when there is none. */
export type NextTry = (error: AppError, retryNo: number, msLeft: number) => number | null;

const MAX_RETRIES = 1;
const NEVER: NextTry = () => null;
const BACKOFF_MS = { from: 50, to: 250 };

export type RetriesOptions = {
  readonly clock: Clock;
  readonly handling: (tenantId: string) => Soon<Handling>;
  readonly random?: () => number;
};

/** One budget per server: a tenth of the calls of the last ten seconds, at least three. */
export function makeRetries({ clock, handling, random = Math.random }: RetriesOptions): Retries {
  const budgets = new LRUCache<string, RetryBudget>({ max: 10_000 });

  function budgetOf(serverId: string): RetryBudget {
    const found = budgets.get(serverId);
    if (found !== undefined) return found;
    const made = makeRetryBudget({ now: clock.now });
    budgets.set(serverId, made);
    return made;
  }

  function nextTry(grant: Grant, policy: RetryPolicy): NextTry {
    const budget = budgetOf(grant.server.id);
    budget.noteCall();
    if (!mayRepeat(policy, grant)) return NEVER;
    return (error, retryNo, msLeft) => {
      if (retryNo >= MAX_RETRIES || !worthRepeating(error)) return null;
      const wait = BACKOFF_MS.from + random() * (BACKOFF_MS.to - BACKOFF_MS.from);
      // A try that cannot end in time only costs the server.
      if (wait * 2 > msLeft) return null;
      return budget.take() ? wait : null;
    };
  }

  return {
    begin: (grant) =>
      soon(handling(grant.server.tenantId), (rules) =>
        nextTry(grant, rules.get(grant.server.id)?.retryPolicy ?? "off"),
      ),
  };
}

/** Only what the server itself says of its tool counts; without a word a tool is called once. */
function mayRepeat(policy: RetryPolicy, { tool }: Grant): boolean {
  const { readOnlyHint, idempotentHint } = tool.definition.annotations ?? {};
  switch (policy) {
    case "off":
      return false;
    case "read_only":
      return readOnlyHint === true;
    case "idempotent":
      return readOnlyHint === true || idempotentHint === true;
  }
}

/** Faults before any part of an answer, and answers that say "not now". */
function worthRepeating({ code, detail }: AppError): boolean {
  if (code === "upstream_unreachable") return true;
  if (code !== "upstream_error" || typeof detail["rpcCode"] === "number") return false;
  const status = Number(detail["httpStatus"] ?? 0);
  return status >= 500 || status === 429;
}

/** Asks, and asks once more where that is allowed and worth it. What is tried again is one call, with one intent and one outcome. */
export async function withRetries<T>(
  retries: Retries,
  { passage, trace }: DurableIntent,
  deadline: Deadline,
  ask: (retryNo: number) => Soon<T>,
): Promise<T> {
  const next = await retries.begin(passage.grant);
  const endsAt = performance.now() + passage.grant.server.deadlineMs;
  for (let retryNo = 0; ; retryNo += 1) {
    try {
      return await ask(retryNo);
    } catch (cause) {
      const error = toAppError(cause);
      const wait = deadline.stopped() === null ? next(error, retryNo, endsAt - performance.now()) : null;
      if (wait === null) throw error;
      trace?.fail(error.code);
      await pause(wait, deadline);
    }
  }
}

/** Ends early when the call has to stop; the next try then says why. */
const pause = (ms: number, deadline: Deadline): Promise<void> =>
  new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      forget();
      resolve();
    };
    const timer = setTimeout(done, ms);
    const forget = deadline.onStop(done);
  });
