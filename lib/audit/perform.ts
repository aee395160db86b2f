import type { z } from "zod";
import { appendInTransaction } from "@/lib/audit/append-in-transaction";
import { recordDenial } from "@/lib/audit/denials";
import type { AppendedEntry, EntryDraft } from "@/lib/audit/entry";
import { bus } from "@/lib/core/bus";
import { type Actor, actorId, actorName, type RequestContext } from "@/lib/core/context";
import { AppError, type FieldIssue } from "@/lib/core/errors";
import { PLATFORM_TENANT_ID } from "@/lib/core/ids";
import { covers } from "@/lib/core/permission";
import { plainRules } from "@/lib/core/plain-rules";
import { type AuditFact, Outdated, type ReadVerb, type Scope, type WriteResult, type WriteVerb } from "@/lib/core/verb";
import { inPlatform, inTenant, type PlatformTx, type TenantTx } from "@/lib/db/in-tenant";
import { warmKey } from "@/lib/db/tenant-keys";

/** True when the actor may: `self` asks only for somebody signed in. */
export function hasPermission(ctx: RequestContext, permission: string): boolean {
  if (permission === "self") return ctx.actor.kind === "user";
  return ctx.actor.kind !== "anonymous" && covers(ctx.permissions, permission);
}

/**
 * Throws unless the actor holds the permission; what is refused to somebody known is recorded first, or counted where they
 * were refused often. `act` says what they tried.
 */
export async function requirePermission(ctx: RequestContext, permission: string, act = permission): Promise<void> {
  if (hasPermission(ctx, permission)) return;
  if (ctx.actor.kind === "anonymous") throw new AppError("unauthenticated", "Sign in first.");
  const entry = await recordDenial({
    ...draftOf(ctx, chainOf(ctx)),
    phase: "auth",
    eventType: "access.denied",
    outcome: "denied",
    decision: "denied",
    reasonCode: "permission_denied",
    permission,
    target: act,
  });
  throw new AppError("permission_denied", `This needs the permission ${permission}.`, {
    missing: permission,
    entry,
  });
}

/** The input as the verb wants it, or `invalid_input` naming every field and the rule it breaks. */
export function parseInput<S extends z.ZodType>(schema: S, rawInput: unknown): z.output<S> {
  const parsed = schema.safeParse(rawInput, plainRules);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(toFieldIssue);
  const text = issues.map(({ path, rule }) => (path === "" ? rule : `${path}: ${rule}`)).join("; ");
  throw new AppError("invalid_input", `The input is not valid: ${text}.`, { issues });
}

const toFieldIssue = (issue: z.core.$ZodIssue): FieldIssue => ({ path: issue.path.join("."), rule: issue.message });

/**
 * Runs a verb: require, parse, prepare, transact, record, announce. A write and its entry share one transaction,
 * and so do a recorded read and its entry, which is durable before the answer is seen.
 */
export async function perform<Tx, S extends z.ZodType, R, P>(
  verb: WriteVerb<Tx, S, R, P> | ReadVerb<Tx, S, R>,
  ctx: RequestContext,
  rawInput: unknown,
  act?: string,
): Promise<R> {
  await requirePermission(ctx, verb.permission, act);
  const input = parseInput(verb.input, rawInput);
  return verb.kind === "read" ? performRead(verb, ctx, input) : performWrite(verb, ctx, input);
}

async function performRead<Tx, S extends z.ZodType, R>(
  verb: ReadVerb<Tx, S, R>,
  ctx: RequestContext,
  input: z.output<S>,
): Promise<R> {
  return transact<Tx, R>(verb.scope, ctx, async (tx, record) => {
    const result = await verb.run(tx, ctx, input);
    const fact = verb.audit?.(input, result);
    if (fact !== undefined) await record(fact);
    return result;
  });
}

async function performWrite<Tx, S extends z.ZodType, R, P>(
  verb: WriteVerb<Tx, S, R, P>,
  ctx: RequestContext,
  input: z.output<S>,
): Promise<R> {
  const attempt = async () => {
    // A verb without `prepare` has P = undefined.
    const prepared = (await verb.prepare?.(ctx, input)) as P;
    return transact<Tx, WriteResult<R>>(verb.scope, ctx, async (tx, record) => {
      const outcome = await verb.run(tx, ctx, input, prepared);
      await record(outcome.audit);
      return outcome;
    });
  };
  const written = await attempt().catch((cause: unknown) => {
    if (cause instanceof Outdated) return attempt();
    throw cause;
  });
  for (const message of written.publish ?? []) bus.publish(message);
  return written.result;
}

type RecordFact = (fact: AuditFact) => Promise<void>;

/** Opens the transaction that the verb's scope names. The verb's type and its scope are made together in lib/db/verbs. */
async function transact<Tx, T>(
  scope: Scope,
  ctx: RequestContext,
  run: (tx: Tx, record: RecordFact) => Promise<T>,
): Promise<T> {
  let appended: AppendedEntry | null = null;
  const within = (tx: TenantTx | PlatformTx, tenantId: string) =>
    run(tx as Tx, async (fact) => {
      appended = await appendInTransaction(tx, draftOfFact(ctx, tenantId, fact));
    });
  // Sealing inside the transaction must not wait for a second connection.
  await warmKey(scope === "tenant" ? ctx.tenantId : PLATFORM_TENANT_ID, "payload");
  const result = await (scope === "tenant"
    ? inTenant(ctx.tenantId, (tx) => within(tx, ctx.tenantId))
    : inPlatform((tx) => within(tx, PLATFORM_TENANT_ID)));
  announce(appended);
  return result;
}

function announce(appended: AppendedEntry | null): void {
  if (appended === null) return;
  bus.publish({ topic: "entry.appended", tenantId: appended.tenantId, seq: appended.seq });
}

function draftOfFact(ctx: RequestContext, tenantId: string, fact: AuditFact): EntryDraft {
  const detail = fact.before !== undefined || fact.after !== undefined;
  return {
    ...draftOf(ctx, tenantId),
    phase: "admin",
    eventType: fact.action,
    outcome: "success",
    target: fact.target,
    ...(fact.reason === undefined ? {} : { reason: fact.reason }),
    ...(detail ? { payload: { before: fact.before, after: fact.after } } : {}),
  };
}

const chainOf = (ctx: RequestContext): string => ctx.tenantId || PLATFORM_TENANT_ID;

/** What every entry of a request has in common. */
export function draftOf(ctx: RequestContext, tenantId: string) {
  return {
    tenantId,
    actor: { type: ctx.actor.kind, id: actorId(ctx.actor), name: actorName(ctx.actor) },
    ...authOf(ctx.actor),
    requestId: ctx.requestId,
    ip: ctx.ip,
    userAgent: ctx.userAgent,
  } as const satisfies Partial<EntryDraft>;
}

function authOf(actor: Actor): Pick<EntryDraft, "authMethod" | "credentialId" | "onBehalfOf"> {
  switch (actor.kind) {
    case "user":
      return {
        authMethod: actor.authMethod,
        ...(actor.credentialId === undefined ? {} : { credentialId: actor.credentialId }),
      };
    case "agent":
      return { authMethod: "agent_key", credentialId: actor.keyId, onBehalfOf: actor.ownerMemberId };
    case "system":
    case "anonymous":
      return {};
  }
}
