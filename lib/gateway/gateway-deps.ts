import type { PermissionMap } from "@/lib/access/decide";
import type { AppendedEntry, EntryDraft } from "@/lib/audit/entry";
import type { RefusalLedger } from "@/lib/audit/refusal-ledger";
import type { AgentKeyCheck } from "@/lib/auth/agent-identity";
import type { Soon } from "@/lib/core/soon";
import type { AnswerCache } from "@/lib/gateway/answer-cache";
import type { Circuits } from "@/lib/gateway/circuits";
import type { InFlightCalls } from "@/lib/gateway/in-flight-calls";
import type { KillCheck } from "@/lib/gateway/require-alive";
import type { Retries } from "@/lib/gateway/retries";
import type { RateLimiting } from "@/lib/gateway/spend-rate-limit";
import type { Upstreams } from "@/lib/gateway/upstreams";
import type { ServersBySlug } from "@/lib/servers/registered-server";

/** Everything the road needs of other rooms. Wired once, in compose.ts. */
export type GatewayDeps = {
  readonly checkKey: (secret: string) => Soon<AgentKeyCheck>;
  readonly permissionMap: (tenantId: string) => Soon<PermissionMap>;
  readonly servers: (tenantId: string) => Soon<ServersBySlug>;
  readonly append: (draft: EntryDraft) => Promise<AppendedEntry>;
  readonly refusals: RefusalLedger;
  readonly rateLimiting: RateLimiting;
  readonly killSwitches: KillCheck;
  readonly inFlight: InFlightCalls;
  readonly retries: Retries;
  readonly answers: AnswerCache;
  readonly circuits: Circuits;
  readonly upstreams: Upstreams;
};
