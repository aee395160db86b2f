import { AppError } from "@/lib/core/errors";
import type { Grant } from "@/lib/gateway/authorize";
import type { Dialogue, Progress, UpstreamAnswer } from "@/lib/mcp/upstream/protocol";
import type { Deadline } from "@/lib/resilience/deadline";

/** Who listens while a call goes on; another one each time its client comes back. */
export type Ears = Pick<Dialogue, "logLevel" | "onLog"> & {
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** The call by which they listen, as the trail names it. */
  readonly callId?: string | undefined;
};

/** A call whose server may ask something in the middle, and whose client goes away to find the answer. */
export type HeldCall = {
  /** Gives the answers that the client brings. What has none stays open: the client is asked again, or for the first time. */
  readonly answer: (inputResponses: unknown) => void;
  /** What the server says next: its answer, or that it wants something first. */
  readonly next: (outer: Deadline, ears: Ears) => Promise<UpstreamAnswer>;
};

/** How a held call ended for which its client had not come back. */
export type Unresumed = {
  /** The last call that was answered with what its server asked for. */
  readonly callId: string | undefined;
  readonly heldMs: number;
  /** What ended it from our side; null where its server ended it. */
  readonly cause: ReturnType<Deadline["stopped"]>;
  /** What its server said in the end, to nobody. */
  readonly end: { readonly answer: UpstreamAnswer } | { readonly error: AppError };
};

/** A held call, and whom it may be given to. */
export type Kept = {
  readonly call: HeldCall;
  readonly owner: string;
  readonly tenantId: string;
  readonly serverId: string;
};

/** A state of ours; what servers say themselves does not begin so. */
const STATE = "countersign.held:";
/** People take their time, but the server's connection is held for them. */
export const HOLD_MS = 10 * 60_000;

/** True for the state of a call that some process holds. */
export const isHeldState = (state: unknown): state is string => typeof state === "string" && state.startsWith(STATE);

export const stateOf = (id: string): string => `${STATE}${id}`;
export const idIn = (state: string): string => state.slice(STATE.length);

/** A call goes on for the caller who began it, at the tool that it is of. */
export const ownerOf = ({ identity, server, ref }: Grant): string =>
  JSON.stringify([identity.tenantId, identity.actor.id, server.id, ref.tool]);

/** There is no such call any more, or it is somebody else's. */
export function isOver(why: string): AppError {
  const text = `The call that asked for this is over: it waited too long, was stopped, or ${why}. What the server had done until then stands. Call again from the beginning.`;
  return new AppError("not_found", text);
}
