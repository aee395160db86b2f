import { randomUUID } from "node:crypto";
import { bus } from "@/lib/core/bus";
import { AppError } from "@/lib/core/errors";
import type { Leaving } from "@/lib/core/leaving";
import { singleton } from "@/lib/core/singleton";
import { isRecord, type Json } from "@/lib/mcp/upstream/protocol";

/** Questions of servers that clients of the sessions era have not answered yet, by their id. */
type Pending = {
  readonly owner: string;
  readonly answer: (message: Json) => void;
};

/** People take their time, but not for ever. */
const ANSWER_WITHIN_MS = 10 * 60_000;
/** A client that is asked so much at once answers nothing any more. */
const MAX_PER_OWNER = 64;
/** What travels to another process is bounded. */
const MAX_CARRIED = 256 * 1024;

const OVER = "The call was over before the client answered.";

const pending = (): Map<string, Pending> =>
  singleton("mcp.pending-asks", () => {
    const map = new Map<string, Pending>();
    bus.subscribe((message) => {
      if (message.topic === "client.answered") settle(map, message.ask, message.owner, parsed(message.answer));
    });
    return map;
  });

/** Others may write to the channel too: what does not parse is no answer. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function settle(map: ReadonlyMap<string, Pending>, id: string, owner: string, message: unknown): boolean {
  const found = map.get(id);
  // An id alone proves nothing: only whoever was asked may answer.
  if (found === undefined || found.owner !== owner || !isRecord(message)) return false;
  found.answer(message);
  return true;
}

function openOf(owner: string): number {
  let open = 0;
  for (const each of pending().values()) if (each.owner === owner) open += 1;
  return open;
}

/**
 * Puts a question to the client on its open stream and waits for the answer, which comes as a message of its own. When
 * nobody wants it any more the client is told.
 */
export function askClient(
  owner: string,
  send: (message: Json) => void,
  over: Leaving,
  method: string,
  params: Json,
): Promise<Json> {
  const id = `cs-${randomUUID()}`;
  return new Promise<Json>((resolve, reject) => {
    if (over.aborted) return reject(new AppError("cancelled", OVER));
    if (openOf(owner) >= MAX_PER_OWNER)
      return reject(new AppError("overloaded", "The client is asked too much at once."));
    const end = () => {
      clearTimeout(timer);
      over.removeEventListener("abort", onOver);
      pending().delete(id);
    };
    const fail = (message: string) => {
      end();
      send({ method: "notifications/cancelled", params: { requestId: id, reason: message } });
      reject(new AppError("cancelled", message));
    };
    const onOver = () => fail(OVER);
    const timer = setTimeout(() => fail("The client did not answer in time."), ANSWER_WITHIN_MS);
    over.addEventListener("abort", onOver, { once: true });
    pending().set(id, {
      owner,
      answer(message) {
        end();
        const error = message["error"];
        if (isRecord(message["result"])) resolve(message["result"]);
        else reject(new AppError("cancelled", isRecord(error) ? String(error["message"]) : "The client refused."));
      },
    });
    send({ id, method, params });
  });
}

/** Takes a client's answer, here or in the process that waits for it. What answers nothing of ours is dropped. */
export function takeAnswer(owner: string, body: unknown): void {
  if (!isRecord(body) || typeof body["id"] !== "string" || !body["id"].startsWith("cs-")) return;
  const { id: ask } = body as { id: string };
  if (settle(pending(), ask, owner, body)) return;
  const answer = JSON.stringify(body);
  if (answer.length <= MAX_CARRIED) bus.publish({ topic: "client.answered", ask: ask.slice(0, 64), owner, answer });
}
