import { bus } from "@/lib/core/bus";
import type { Leaving } from "@/lib/core/leaving";
import { singleton } from "@/lib/core/singleton";
import { executeToolCall } from "@/lib/gateway/execute-tool-call";
import type { Outcome, ToolCall } from "@/lib/gateway/tool-call";
import type { RpcId } from "@/lib/mcp/door/envelope";
import { uuidOf } from "@/lib/mcp/door/session-ids";
import type { Visit } from "@/lib/mcp/door/visit";

/** Calls of the sessions era that can be cancelled by a later message, or by the end of their session. */
type Running = { readonly controller: AbortController; readonly session: string | null };
type InFlight = Map<string, Running>;

const inFlight = (): InFlight =>
  singleton("mcp.in-flight", () => {
    const running: InFlight = new Map();
    bus.subscribe((message) => {
      if (message.topic === "call.cancelled") running.get(message.call)?.controller.abort();
      if (message.topic !== "agent_session.ended") return;
      for (const { controller, session } of running.values())
        if (session !== null && uuidOf(session) === message.session) controller.abort();
    });
    return running;
  });

/** How long the name of a call may be that is told to other processes. */
const MAX_NAMED = 800;

/** Only the same key in the same session can cancel; the session id alone authenticates nothing. */
const keyOf = (credentialId: string, session: string | null, id: RpcId): string =>
  JSON.stringify([credentialId, session, id]);

/** Makes a call cancellable while it runs. */
async function cancellable<T>(
  credentialId: string,
  session: string | null,
  id: RpcId,
  run: (signal: Leaving) => Promise<T>,
): Promise<T> {
  const key = keyOf(credentialId, session, id);
  const controller = new AbortController();
  inFlight().set(key, { controller, session });
  try {
    return await run(controller.signal);
  } finally {
    if (inFlight().get(key)?.controller === controller) inFlight().delete(key);
  }
}

/** A request that waits for its turn. */
export type Waiting = {
  readonly isCancelled: () => boolean;
  /** Must be called when it is answered. */
  readonly end: () => void;
};

/** Makes a request cancellable that waits for its turn: once it runs it sees to that itself. */
export function waitCancellable({ identity, session }: Pick<Visit, "identity" | "session">, id: RpcId): Waiting {
  const key = keyOf(identity.credentialId ?? identity.actor.id, session, id);
  const waiting = { controller: new AbortController(), session };
  inFlight().set(key, waiting);
  return {
    isCancelled: () => waiting.controller.signal.aborted,
    end() {
      if (inFlight().get(key) === waiting) inFlight().delete(key);
    },
  };
}

/** Cancels a call; a message that names none of this caller's calls is ignored, as the protocol wants. */
export function cancelCall(credentialId: string, session: string | null, id: unknown): void {
  if (typeof id !== "string" && typeof id !== "number") return;
  const call = keyOf(credentialId, session, id);
  const running = inFlight().get(call);
  if (running !== undefined) running.controller.abort();
  // Another process may run it: a client's messages go to whichever is free.
  else if (call.length <= MAX_NAMED) bus.publish({ topic: "call.cancelled", call });
}

/** Runs a call. Leaving the stream cancels it on the modern wire; in the sessions era a client may come and go, and cancels by a message. */
export function execute(visit: Visit, call: ToolCall): Promise<Outcome> {
  const { gateway, envelope, identity, session } = visit;
  if (envelope.era === "modern" || envelope.id === null) return executeToolCall(gateway, call);
  const owner = identity.credentialId ?? identity.actor.id;
  return cancellable(owner, session, envelope.id, (cancelled) =>
    executeToolCall(gateway, { ...call, signal: cancelled }),
  );
}
