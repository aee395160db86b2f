import type { ToolRef } from "@/lib/access/decide";
import type { AppError } from "@/lib/core/errors";
import type { Leaving } from "@/lib/core/leaving";
import type { Ask, ClientSide } from "@/lib/gateway/client-side";
import type { Identity } from "@/lib/gateway/identity";
import type { LimitState } from "@/lib/gateway/rate-limits";
import type { Json, LargeResult, Progress } from "@/lib/mcp/upstream/protocol";
import type { RegisteredServer } from "@/lib/servers/registered-server";
import type { Arrival } from "@/lib/telemetry/tracing";

/** Where a request came in. All of it is for the trail; none of it is trusted. */
export type Entrance = {
  readonly requestId: string;
  /** `/api/mcp`, `/api/mcp/files`, `console`. */
  readonly door: string;
  readonly era?: "modern" | "legacy" | undefined;
  readonly clientName?: string | undefined;
  readonly ip: string | null;
  readonly userAgent: string | null;
  readonly bytesIn?: number | undefined;
  /** Where somebody traces the request, its caller or we. */
  readonly arrival?: Arrival | undefined;
};

/** What was presented at the door: a key still to be checked, or somebody whom another door has checked. */
export type Credential =
  | { readonly kind: "key"; readonly secret: string | null }
  /** `secret`: the key by which the other door knew who it is, to be looked at again where the call has to wait. */
  | { readonly kind: "checked"; readonly identity: Identity; readonly secret?: string | null };

export type ToolCall = {
  readonly credential: Credential;
  readonly ref: ToolRef;
  readonly args: Json;
  readonly entrance: Entrance;
  /** Aborted when the caller leaves. */
  readonly signal?: Leaving | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** What is asked where it is no tool call: a resource is read, a prompt is got. */
  readonly ask?: Ask | undefined;
  /** The client behind the call, where a server may tell or ask it something meanwhile. */
  readonly client?: ClientSide | undefined;
  /** The server itself where the caller may reach one that agents may not yet. */
  readonly server?: RegisteredServer | undefined;
};

/** How a call ended. `entry` is the audit entry that says so; null only where none could be written. */
export type Outcome = { readonly latencyMs: number; readonly limit: LimitState | null } & (
  | {
      readonly ok: true;
      readonly entry: string;
      /** Without its large members where there is a `large`. */
      readonly result: Json;
      readonly large?: LargeResult | undefined;
    }
  | { readonly ok: false; readonly entry: string | null; readonly error: AppError }
);
