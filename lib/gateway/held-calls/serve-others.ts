import { steadyClock } from "@/lib/core/clock";
import { AppError } from "@/lib/core/errors";
import { logger } from "@/lib/core/logger";
import { answerToBytes, failureToBytes } from "@/lib/gateway/held-calls/carried-answer";
import { type Ears, type HeldCall, HOLD_MS, type Kept } from "@/lib/gateway/held-calls/held-call";
import { fetchPieces, leavePieces } from "@/lib/gateway/held-calls/pieces";
import { hearAsHolder, LOOK_MS, SILENT_MS, type ToHolder, tellCaller } from "@/lib/gateway/held-calls/words";
import { startDeadline } from "@/lib/resilience/deadline";

type Go = Extract<ToHolder, { say: "go" }>;

/** A return of a client to another process, served here. */
type Turn = {
  /** Somebody still waits. */
  readonly look: () => void;
  readonly leave: (cause: "timeout" | "cancelled" | "killed") => void;
};

/** Lets the callers of other processes go on with the calls that are held here, of which `find` knows. */
export function serveOthers(find: (id: string) => Kept | undefined): void {
  const turns = new Map<string, Turn>();
  /** A call is over before its caller has fetched what came of it. */
  const going = new Map<string, number>();

  const begin = (id: string, { call }: Kept, go: Go) => {
    if (turns.has(go.turn)) return;
    going.set(id, (going.get(id) ?? 0) + 1);
    const end = () => {
      turns.delete(go.turn);
      const left = (going.get(id) ?? 1) - 1;
      if (left > 0) going.set(id, left);
      else going.delete(id);
    };
    turns.set(go.turn, serve(call, go, end));
  };

  hearAsHolder(
    (id) => find(id) !== undefined || going.has(id),
    (id, word) => {
      if (word.say === "look") return turns.get(word.turn)?.look();
      if (word.say === "leave") return turns.get(word.turn)?.leave(word.cause);
      const kept = find(id);
      if (kept === undefined || kept.owner !== word.owner) return;
      if (word.say === "find") tellCaller(word.turn, { say: "here" });
      else begin(id, kept, word);
    },
  );
}

/** Goes on with a call in one turn; `end` is called when nothing more can be asked of it. */
function serve(call: HeldCall, go: Go, end: () => void): Turn {
  const { turn } = go;
  const deadline = startDeadline(HOLD_MS);
  let lookedAt = steadyClock.now();
  let said: Buffer | null = null;
  const over = () => {
    clearInterval(lease);
    deadline.release();
    end();
  };
  // Whoever died says nothing: a server is not kept at work for a caller who is gone.
  const lease = setInterval(() => {
    if (steadyClock.now() - lookedAt < SILENT_MS) return;
    deadline.stop("cancelled");
    over();
  }, LOOK_MS).unref();

  const tellDone = async (bytes: Buffer) => {
    const pieces = await leavePieces(`${turn}:said`, bytes);
    // Redis is away: the next look tries again.
    if (pieces !== null) tellCaller(turn, { say: "done", pieces });
  };
  goOn(call, go, deadline)
    .then(answerToBytes)
    .catch(failureToBytes)
    .then((bytes) => {
      said = bytes;
      return tellDone(bytes);
    })
    .catch((cause: unknown) => logger.warn({ err: cause }, "what a held call said could not be passed on"));

  return {
    look() {
      lookedAt = steadyClock.now();
      if (said === null) tellCaller(turn, { say: "going" });
      else void tellDone(said);
    },
    leave(cause) {
      deadline.stop(cause);
      over();
    },
  };
}

async function goOn(call: HeldCall, { turn, pieces, hears, callId }: Go, deadline: Parameters<HeldCall["next"]>[0]) {
  const brought = await fetchPieces(`${turn}:brought`, pieces);
  if (brought === null) throw new AppError("unavailable", "What the client brought did not reach the call.");
  call.answer(JSON.parse(brought.toString("utf8")));
  const ears: Ears = {
    callId,
    onLog: hears.logs ? (params) => tellCaller(turn, { say: "log", params }) : undefined,
    onProgress: hears.progress ? (progress) => tellCaller(turn, { say: "progress", progress }) : undefined,
  };
  return await call.next(deadline, ears);
}
