import { randomUUID } from "node:crypto";
import { steadyClock } from "@/lib/core/clock";
import { AppError, toAppError } from "@/lib/core/errors";
import { singleton } from "@/lib/core/singleton";
import type { Grant } from "@/lib/gateway/authorize";
import type { GatewayDeps } from "@/lib/gateway/gateway-deps";
import {
  type Ears,
  type HeldCall,
  HOLD_MS,
  type Kept,
  ownerOf,
  stateOf,
  type Unresumed,
} from "@/lib/gateway/held-calls/held-call";
import { serveOthers } from "@/lib/gateway/held-calls/serve-others";
import { type Dialogue, isRecord, type Json, type Progress, type UpstreamAnswer } from "@/lib/mcp/upstream/protocol";
import { type Deadline, startDeadline } from "@/lib/resilience/deadline";

/** How a held call speaks with its server. */
export type Speak = (held: {
  readonly deadline: Deadline;
  readonly dialogue: Dialogue;
  readonly onProgress: (progress: Progress) => void;
}) => Promise<UpstreamAnswer>;

type Asked = {
  readonly question: Json;
  readonly resolve: (answer: Json) => void;
  readonly reject: (cause: AppError) => void;
};

/** What failed is told again to whoever asks at once. */
const TELL_AGAIN_MS = 5_000;
/** What a server answered while its client was away is kept for it, up to this size. */
const MAX_KEPT_BYTES = 256 * 1_024;
const MAX_HELD = 256;
/** Clients that never come back hold their places for all of that time: those of one tenant must leave room for the others'. */
const MAX_PER_TENANT = 64;
const MAX_PER_SERVER = 32;

/** The calls that this process holds, for its own callers and for those who come to another process. */
const held = (): Map<string, Kept> =>
  singleton("gateway.held-calls", () => {
    const all = new Map<string, Kept>();
    serveOthers((id) => all.get(id));
    return all;
  });

/** A call that this process holds. */
export const heldHere = (id: string): Kept | undefined => held().get(id);

function keep(id: string, kept: Kept): void {
  const all = held();
  if (all.has(id)) return;
  const ofTenant = [...all.values()].filter(({ tenantId }) => tenantId === kept.tenantId);
  const ofServer = ofTenant.filter(({ serverId }) => serverId === kept.serverId);
  if (all.size >= MAX_HELD || ofTenant.length >= MAX_PER_TENANT || ofServer.length >= MAX_PER_SERVER) {
    throw new AppError("overloaded", "Too many calls wait for what their clients were asked.");
  }
  all.set(id, kept);
}

/** Forgets a call that is held: at once, or after a while. */
function dropper(id: string) {
  let timer: NodeJS.Timeout | undefined;
  const now = (): void => {
    clearTimeout(timer);
    held().delete(id);
  };
  return {
    now,
    in(ms: number, dropped: () => void = () => undefined): void {
      const drop = () => {
        now();
        dropped();
      };
      if (held().has(id)) timer = setTimeout(drop, ms).unref();
    },
  };
}

/** What a server asked that has no answer yet. */
function openQuestions() {
  const open = new Map<string, Asked>();
  let count = 0;
  return {
    open,
    add: (question: Json): Promise<Json> =>
      new Promise<Json>((resolve, reject) => {
        count += 1;
        open.set(`question-${count}`, { question, resolve, reject });
      }),
    answer(inputResponses: unknown): void {
      const given = isRecord(inputResponses) ? inputResponses : {};
      for (const [name, { resolve }] of [...open]) {
        const answer = given[name];
        if (!isRecord(answer)) continue;
        open.delete(name);
        resolve(answer);
      }
    },
    refuse(): void {
      for (const { reject } of open.values()) reject(new AppError("cancelled", "The client did not come back."));
      open.clear();
    },
  };
}

/**
 * Begins a call that is held open while its client is away. Killed like any other, also then. `tell` hears of its end where
 * no call of its client's does: nothing else would say what became of it.
 */
export function holdCall(
  gateway: Pick<GatewayDeps, "inFlight">,
  grant: Grant,
  speak: Speak,
  tell: (how: Unresumed) => void = () => undefined,
): HeldCall {
  const id = randomUUID();
  const life = startDeadline(HOLD_MS);
  const until = steadyClock.now() + HOLD_MS;
  const land = gateway.inFlight.enter(grant, life.kill);
  const questions = openQuestions();
  const drop = dropper(id);
  let ears: Ears = {};
  let wake: () => void = () => undefined;
  let listening = 0;
  let callId: string | undefined;

  const ask = async (method: string, params: Json): Promise<Json> => {
    keep(id, { call, owner: ownerOf(grant), tenantId: grant.identity.tenantId, serverId: grant.server.id });
    const answer = questions.add({ method, params });
    wake();
    return answer;
  };
  life.onStop(questions.refuse);

  const call: HeldCall = {
    answer: questions.answer,
    async next(outer, listener) {
      ears = listener;
      listening += 1;
      callId = listener.callId;
      // With its cause: a server that did not answer in time has to count as one, here too.
      const stop = () => life.stop(outer.stopped() ?? "cancelled");
      const forget = outer.onStop(stop);
      if (outer.stopped() !== null) stop();
      try {
        const asked = new Promise<null>((resolve) => {
          wake = () => resolve(null);
          if (questions.open.size > 0) resolve(null);
        });
        const answer = await Promise.race([asked, running]);
        if (answer === null) return inputRequired(id, questions.open);
        drop.now();
        return answer;
      } finally {
        forget();
        ears = {};
        listening -= 1;
      }
    },
  };

  const heldMs = () => steadyClock.now() - (until - HOLD_MS);
  const end = () => {
    land();
    life.release();
    // Whatever it asked, it does not wait for that any more.
    questions.open.clear();
  };
  const running = speak({
    deadline: life,
    dialogue: { logLevel: undefined, onLog: (params) => ears.onLog?.(params), onRequest: ask },
    onProgress: (progress) => ears.onProgress?.(progress),
  });
  running.then(
    (answer) => {
      end();
      // Servers do not wait for ever: one that went on by itself has acted, and its client is to hear of that.
      const keptMs = answer.bytes > MAX_KEPT_BYTES ? 0 : until - steadyClock.now();
      drop.in(keptMs, () => tell({ callId, heldMs: heldMs(), cause: null, end: { answer } }));
    },
    (cause: unknown) => {
      const how = { callId, heldMs: heldMs(), cause: life.stopped(), end: { error: toAppError(cause) } };
      end();
      if (listening === 0 && held().has(id)) tell(how);
      drop.in(TELL_AGAIN_MS);
    },
  );
  return call;
}

const inputRequired = (id: string, questions: ReadonlyMap<string, Asked>): UpstreamAnswer => {
  const inputRequests = Object.fromEntries([...questions].map(([name, { question }]) => [name, question]));
  const result = { resultType: "input_required", inputRequests, requestState: stateOf(id) };
  return { result, bytes: Buffer.byteLength(JSON.stringify(inputRequests)) };
};
