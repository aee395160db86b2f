import { randomUUID } from "node:crypto";
import { steadyClock } from "@/lib/core/clock";
import { AppError } from "@/lib/core/errors";
import { answerFromBytes } from "@/lib/gateway/held-calls/carried-answer";
import type { Ears, HeldCall } from "@/lib/gateway/held-calls/held-call";
import { fetchPieces, leavePieces, PIECE_BYTES } from "@/lib/gateway/held-calls/pieces";
import { hearAsCaller, LOOK_MS, SILENT_MS, tellHolder } from "@/lib/gateway/held-calls/words";
import { promiseMemory } from "@/lib/mcp/upstream/answer-memory";
import type { UpstreamAnswer } from "@/lib/mcp/upstream/protocol";
import { untilStopped } from "@/lib/mcp/upstream/until-stopped";
import type { Deadline } from "@/lib/resilience/deadline";

/** A holder answers within milliseconds, and a busy one within this. */
const FIND_MS = 2_000;
const FIND_EVERY_MS = 400;

const lost = (): AppError => {
  const text = "The process of the gateway that holds this call cannot be reached. The call may have had an effect.";
  return new AppError("unavailable", text);
};

/** The call, where another process holds it for this owner; null where none says so. */
export function findElsewhere(id: string, owner: string): Promise<HeldCall | null> {
  const turn = randomUUID();
  return new Promise((resolve) => {
    const ask = () => tellHolder(id, { say: "find", turn, owner });
    const end = (found: HeldCall | null) => {
      forget();
      clearInterval(again);
      clearTimeout(timer);
      resolve(found);
    };
    const forget = hearAsCaller(turn, ({ say }) => {
      if (say === "here") end(heldElsewhere(id, owner, turn));
    });
    const again = setInterval(ask, FIND_EVERY_MS);
    const timer = setTimeout(() => end(null), FIND_MS);
    ask();
  });
}

/** A call that another process holds, as its caller's process goes on with it in one turn. */
function heldElsewhere(id: string, owner: string, turn: string): HeldCall {
  let brought: unknown = {};
  return {
    answer(inputResponses) {
      brought = inputResponses ?? {};
    },
    async next(outer, ears) {
      const pieces = await leavePieces(`${turn}:brought`, Buffer.from(JSON.stringify(brought)));
      if (pieces === null) throw lost();
      const hears = { logs: ears.onLog !== undefined, progress: ears.onProgress !== undefined };
      const saying = hearTurn(id, turn, ears);
      try {
        tellHolder(id, { say: "go", turn, owner, pieces, hears, callId: ears.callId });
        return await fetchAnswer(turn, await untilStopped(saying.done, outer), outer);
      } finally {
        saying.end();
        tellHolder(id, { say: "leave", turn, cause: outer.stopped() ?? "cancelled" });
      }
    },
  };
}

/** Listens to the holder, who says in the end in how many pieces its server's word lies; rejects when it falls silent. */
function hearTurn(id: string, turn: string, ears: Ears): { readonly done: Promise<number>; readonly end: () => void } {
  let heardAt = steadyClock.now();
  let end: () => void = () => undefined;
  const done = new Promise<number>((resolve, reject) => {
    const forget = hearAsCaller(turn, (word) => {
      heardAt = steadyClock.now();
      if (word.say === "log") ears.onLog?.(word.params);
      else if (word.say === "progress") ears.onProgress?.(word.progress);
      else if (word.say === "done") resolve(word.pieces);
    });
    const looking = setInterval(() => {
      if (steadyClock.now() - heardAt < SILENT_MS) tellHolder(id, { say: "look", turn });
      else reject(lost());
    }, LOOK_MS);
    end = () => {
      forget();
      clearInterval(looking);
    };
  });
  return { done, end };
}

async function fetchAnswer(turn: string, pieces: number, outer: Deadline): Promise<UpstreamAnswer> {
  const memory = pieces === 1 ? null : promiseMemory(pieces * PIECE_BYTES);
  try {
    const bytes = await fetchPieces(`${turn}:said`, pieces);
    if (bytes === null) throw lost();
    return await answerFromBytes(bytes, outer, () => outer.stopped() === null);
  } finally {
    memory?.end();
  }
}
