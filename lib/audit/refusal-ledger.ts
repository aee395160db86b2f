import type { AppendedEntry, EntryDraft } from "@/lib/audit/entry";
import { type Clock, steadyClock } from "@/lib/core/clock";
import { newId } from "@/lib/core/ids";

/**
 * Records refusals that a caller can cause at will, so that noise cannot fill the trail: per subject and window the first ones
 * each get an entry, the rest share one that says how many there were. Its id is known, and named in answers, before it is
 * written.
 */
export type RefusalLedger = {
  /** The id of the entry that records (or will count) this refusal. Throws `audit_unavailable`. */
  readonly record: (subject: string, draft: EntryDraft) => Promise<string>;
  /** Writes what is still counted only in memory. */
  readonly flush: () => Promise<void>;
};

export type RefusalLedgerOptions = {
  readonly append: (draft: EntryDraft) => Promise<AppendedEntry>;
  /** For a count whose window has ended: written as soon as the trail can be. */
  readonly owe: (draft: EntryDraft) => Promise<void>;
  readonly clock?: Clock;
  readonly individually?: number;
  readonly windowMs?: number;
};

type Shared = EntryDraft & { readonly eventId: string; readonly count: number };
type Window = {
  readonly endsAt: number;
  /** Of newcomers who had no window of their own. */
  readonly isOfMany: boolean;
  seen: number;
  shared: Shared | null;
};

/** Subjects watched at once; beyond it all newcomers of a tenant share one window, which keeps the bound on entries. */
const MAX_SUBJECTS = 10_000;

/** A ledger over the trail; `individually` entries per subject and window. */
export function makeRefusalLedger(options: RefusalLedgerOptions): RefusalLedger {
  const { append, owe, clock = steadyClock, individually = 10, windowMs = 60_000 } = options;
  const windows = new Map<string, Window>();
  let timer: NodeJS.Timeout | null = null;

  async function write(closed: Iterable<Window>): Promise<void> {
    // All at once: what the first has to wait for must not keep the others from being owed before the process ends.
    await Promise.all([...closed].flatMap(({ shared }) => (shared === null ? [] : [owe(shared)])));
  }

  function takeClosed(now: number): Window[] {
    const closed: Window[] = [];
    for (const [subject, window] of windows) {
      if (window.endsAt > now) continue;
      windows.delete(subject);
      closed.push(window);
    }
    if (windows.size === 0 && timer !== null) {
      clearInterval(timer);
      timer = null;
    }
    return closed;
  }

  function windowOf({ tenantId, eventType }: EntryDraft, who: string): Window {
    const now = clock.now();
    const own = `${tenantId}|${who}`;
    const isOfMany = windows.size >= MAX_SUBJECTS && !windows.has(own);
    const subject = isOfMany ? `${tenantId}|${eventType}` : own;
    const found = windows.get(subject);
    if (found !== undefined && found.endsAt > now) return found;
    if (found !== undefined) void write([found]);
    const made: Window = { endsAt: now + windowMs, isOfMany, seen: 0, shared: null };
    windows.set(subject, made);
    timer ??= setInterval(() => void write(takeClosed(clock.now())), Math.min(windowMs, 1_000)).unref();
    return made;
  }

  return {
    async record(subject, draft) {
      const window = windowOf(draft, subject);
      window.seen += 1;
      if (window.seen <= individually) return (await append(draft)).eventId;
      window.shared = joined(window.shared, window.isOfMany ? ofMany(draft) : draft);
      return window.shared.eventId;
    },
    async flush() {
      await write(takeClosed(Number.POSITIVE_INFINITY));
    },
  };
}

const SEVERAL = { type: "anonymous", id: "several", name: "several callers" } as const;

const SEVERAL_REASONS = "several_reasons";

/** What may differ between refusals of one subject. The request of the first stands for all of them. */
const VARYING = [
  ...(["reasonCode", "reason", "target", "door", "era", "clientName", "userAgent", "ip", "bytesIn"] as const),
  ...(["permission", "traceId", "spanId", "authMethod", "credentialId", "onBehalfOf"] as const),
] satisfies readonly (keyof EntryDraft)[];

/** One more of the same: of all of them is said only what is true of each. */
function joined(shared: Shared | null, draft: EntryDraft): Shared {
  if (shared === null) return { ...draft, eventId: newId(), count: 1 };
  const { id, name } = shared.actor;
  const isSame = id === draft.actor.id && name === draft.actor.name;
  const differing = VARYING.filter((field) => isSaid(shared[field]) && shared[field] !== draft[field]);
  const common = differing.length === 0 ? shared : omit(shared, differing);
  return {
    ...common,
    ...(differing.includes("reasonCode") ? { reasonCode: SEVERAL_REASONS } : {}),
    ...{ actor: isSame ? shared.actor : SEVERAL, count: shared.count + 1 },
  };
}

/** What was found to differ once is said no more. */
const isSaid = (value: unknown): boolean => value !== undefined && value !== SEVERAL_REASONS;

function omit(shared: Shared, fields: readonly (keyof EntryDraft)[]): Shared {
  const left = Object.entries(shared).filter(([name]) => !fields.some((field) => field === name));
  return Object.fromEntries(left) as Shared;
}

/** What was refused, without who asked: a count of many must not be laid at the door of the first. */
function ofMany(draft: EntryDraft): EntryDraft {
  const { onBehalfOf: _, authMethod: __, credentialId: ___, clientName: ____, ...rest } = draft;
  return { ...rest, actor: SEVERAL, ip: null, userAgent: null };
}
