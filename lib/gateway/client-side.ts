import type { Dialogue, Json } from "@/lib/mcp/upstream/protocol";

/** Something asked of a server that is no tool call; governed by the key of the map that stands in the call's `ref`. */
export type Ask = {
  readonly method: string;
  readonly params: Json;
  /** What is asked for, as the trail names it: an address or a name. */
  readonly target: string;
};

/** The client behind a call, as far as a server may deal with it. */
export type ClientSide = {
  /** The id of the call, given before it begins: what is asked and answered in its middle is recorded under it. */
  readonly callId?: string | undefined;
  /** What it says it can do when a server asks; in the words of `capabilities`. */
  readonly capabilities: Json;
  readonly dialogue: Dialogue;
  /** It takes `input_required` as an answer; one that does not is asked on its stream. */
  readonly takesInputRequests: boolean;
  /** What it sends along when it comes back with the input that was required. */
  readonly retry: Json | null;
  /** Uses up the state that came along. Not before the server is spoken to: a call that is refused may be made again. */
  readonly spend?: (() => Promise<void>) | undefined;
};
