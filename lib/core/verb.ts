import type { z } from "zod";
import type { BusMessage } from "@/lib/core/bus";
import type { RequestContext } from "@/lib/core/context";
import { AppError } from "@/lib/core/errors";

/** `noun.past_participle`, e.g. `server.registered`. */
export type AuditAction = `${string}.${string}`;

/** What a write leaves in the trail. Without it a write does not compile. */
export type AuditFact = {
  readonly action: AuditAction;
  /** What was acted on: an id or a slug. */
  readonly target: string;
  readonly before?: unknown;
  readonly after?: unknown;
  readonly reason?: string;
};

export type WriteResult<R> = {
  readonly result: R;
  readonly audit: AuditFact;
  /** Announced after the commit. */
  readonly publish?: readonly BusMessage[];
};

/** Thrown by `run` where what was prepared speaks of something that somebody has changed since. */
export class Outdated extends AppError {
  constructor(message: string) {
    super("conflict", message);
  }
}

/** Which rows a verb may reach: one tenant's, or the platform's own. */
export type Scope = "tenant" | "platform";

export type WriteVerb<Tx, S extends z.ZodType, R, P = undefined> = {
  readonly kind: "write";
  readonly scope: Scope;
  /** Who may: a permission, or `self` for acts on one's own session and tokens. There is no default. */
  readonly permission: string;
  readonly input: S;
  /** I/O that must not happen inside the transaction, e.g. asking a server what it offers. Once more if `run` says `Outdated`. */
  readonly prepare?: (ctx: RequestContext, input: z.output<S>) => Promise<P>;
  readonly run: (tx: Tx, ctx: RequestContext, input: z.output<S>, prepared: P) => Promise<WriteResult<R>>;
  /** HTTP status of success; 200 unless told. */
  readonly status?: 200 | 201 | 204;
};

export type ReadVerb<Tx, S extends z.ZodType, R> = {
  readonly kind: "read";
  readonly scope: Scope;
  readonly permission: string;
  readonly input: S;
  readonly run: (tx: Tx, ctx: RequestContext, input: z.output<S>) => Promise<R>;
  /** Set where reading is itself an event of the trail (PCI DSS 10.2.1.3). */
  readonly audit?: (input: z.output<S>, result: R) => AuditFact;
};

/** Binds the verb makers to the transaction type of the database layer. */
export function verbsOver<Tx>(scope: Scope) {
  return {
    defineWrite: <S extends z.ZodType, R, P = undefined>(
      verb: Omit<WriteVerb<Tx, S, R, P>, "kind" | "scope">,
    ): WriteVerb<Tx, S, R, P> => ({ ...verb, kind: "write", scope }),
    defineRead: <S extends z.ZodType, R>(verb: Omit<ReadVerb<Tx, S, R>, "kind" | "scope">): ReadVerb<Tx, S, R> => ({
      ...verb,
      kind: "read",
      scope,
    }),
  };
}
