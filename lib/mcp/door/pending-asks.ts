import { createHmac, createSecretKey, type KeyObject, randomUUID, timingSafeEqual } from "node:crypto";
import { LRUCache } from "lru-cache";
import { bus } from "@/lib/core/bus";
import { AppError } from "@/lib/core/errors";
import type { Leaving } from "@/lib/core/leaving";
import { openBytes, sealBytes } from "@/lib/core/sealed-bytes";
import { singleton } from "@/lib/core/singleton";
import { secretFor } from "@/lib/db/process-secrets";
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
/** What travels to another process is bounded: by what the door takes, which a sampled picture may need. */
const MAX_CARRIED = 4 * 1024 * 1024;

const OVER = "The call was over before the client answered.";

const pending = (): Map<string, Pending> =>
  singleton("mcp.pending-asks", () => {
    const map = new Map<string, Pending>();
    bus.subscribe((message) => {
      if (message.topic === "client.answered") settle(map, message.ask, message.owner, opened(message));
    });
    return map;
  });

/** What a person answered is for the server that asked, and for nobody who can read Redis. */
const answerKey = (): KeyObject => singleton("mcp.answer-key", () => createSecretKey(secretFor("answer")));
const answerName = (ask: string, owner: string): string => JSON.stringify([ask, owner]);

/** Others may write to the channel too: what does not open is no answer. */
function opened({ ask, owner, answer }: { ask: string; owner: string; answer: string }): unknown {
  try {
    return JSON.parse(openBytes(answerKey(), answerName(ask, owner), Buffer.from(answer, "base64")).toString("utf8"));
  } catch {
    return null;
  }
}

const key = (): Buffer => secretFor("question");

/** An id says to every process that one of us asked this owner: nothing else is worth the others' time. */
const idFor = (owner: string, uuid: string = randomUUID()): string => {
  const mac = createHmac("sha256", key())
    .update(JSON.stringify([uuid, owner]))
    .digest("base64url");
  return `cs-${uuid}-${mac.slice(0, 22)}`;
};

function isAskedOf(owner: string, id: string): boolean {
  const [given, wanted] = [Buffer.from(id), Buffer.from(idFor(owner, id.slice(3, 39)))];
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

/** Questions whose answers this process has sent on: each goes once. */
const carried = () => singleton("mcp.carried-answers", () => new LRUCache<string, true>({ max: 10_000 }));

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
  const id = idFor(owner);
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

/**
 * Takes a client's answer, here or in the process that waits for it. What answers nothing of ours is dropped; throws
 * `invalid_input` for an answer to what this client was never asked.
 */
export function takeAnswer(owner: string, body: unknown): void {
  if (!isRecord(body) || typeof body["id"] !== "string" || !body["id"].startsWith("cs-")) return;
  const { id: ask } = body as { id: string };
  if (settle(pending(), ask, owner, body)) return;
  if (!isAskedOf(owner, ask)) throw new AppError("invalid_input", "This answers nothing that the client was asked.");
  const text = Buffer.from(JSON.stringify(body));
  if (text.length > MAX_CARRIED) throw new AppError("payload_too_large", "The answer is too large.");
  if (carried().has(ask)) return;
  carried().set(ask, true);
  const answer = sealBytes(answerKey(), answerName(ask, owner), text).toString("base64");
  bus.publish({ topic: "client.answered", ask, owner, answer });
}
