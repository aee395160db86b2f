import type { Leaving } from "@/lib/core/leaving";
import type { GatewayDeps } from "@/lib/gateway/gateway-deps";
import type { Identity } from "@/lib/gateway/identity";
import type { Entrance } from "@/lib/gateway/tool-call";
import type { DoorRequest } from "@/lib/mcp/door/door-request";
import type { Envelope } from "@/lib/mcp/door/envelope";
import type { Profile } from "@/lib/profiles/registry";

/** One well-formed message of somebody we know. */
export type Visit = {
  readonly gateway: GatewayDeps;
  readonly identity: Identity;
  /** The key by which it is known. */
  readonly secret: string | null;
  readonly envelope: Envelope;
  /** The server whose door it is; null at the joint door. */
  readonly server: string | null;
  /** The profile whose door it is; the gateway then shows its part only. */
  readonly profile?: Profile | undefined;
  readonly signal: Leaving;
  /** False where the client takes nothing but JSON: it cannot be told or asked anything before its answer. */
  readonly takesStreams: boolean;
  /** Handed out at `initialize`. It opens nothing: it says what the client can do, and tells one from another. */
  readonly session: string | null;
  /** The headers where each message has its own, and the client filled them in for this very message. */
  readonly header?: DoorRequest["header"] | undefined;
  /** The connection that carries this message and others, where there is one. */
  readonly connection?: string | undefined;
  readonly entrance: Entrance;
};
