import { z } from "zod";
import { cursor, isoTime } from "@/lib/core/wire";

export const PHASES = ["intent", "outcome", "admin", "auth", "system"] as const;
export const OUTCOMES = ["success", "failure", "denied", "unknown", "pending"] as const;

/** GET /api/v1/audit/entries: newest first. Repeated values are comma separated. All of it lives in the page's URL too. */
export const searchEntriesInput = z.object({
  /** Relative (`15m`, `1h`, `24h`, `7d`, `30d`, `all`) or absolute with from/to. */
  range: z
    .string()
    .regex(/^(\d{1,4}[mhd]|all)$/, "must be like 15m, 24h, 7d or all")
    .optional(),
  from: isoTime.optional(),
  to: isoTime.optional(),
  server: z.string().max(31).optional(),
  tool: z.string().max(128).optional(),
  /** Slug, e-mail or id. */
  caller: z.string().max(200).optional(),
  outcome: z
    .string()
    .regex(/^[a-z,]{1,60}$/)
    .optional(),
  decision: z.enum(["allowed", "denied"]).optional(),
  /** Phases to show; intents are hidden unless asked for or still open. */
  phase: z
    .string()
    .regex(/^[a-z,]{1,60}$/)
    .optional(),
  /** The trace that a call was part of: 32 hexadecimal digits. */
  trace: z
    .string()
    .regex(/^[0-9a-f]{32}$/, "must be 32 hexadecimal digits")
    .optional(),
  /** Free text over event, outcome, caller, tool, target, reason, rule, permission, address and ids; `trace:<id>` in it means that trace. */
  q: z.string().max(200).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
  cursor,
});
export type SearchEntriesInput = z.input<typeof searchEntriesInput>;

export type EntryView = {
  readonly seq: number;
  readonly id: string;
  readonly callId: string | null;
  readonly ts: string;
  readonly phase: (typeof PHASES)[number];
  readonly type: string;
  readonly outcome: (typeof OUTCOMES)[number];
  readonly decision: "allowed" | "denied" | null;
  readonly reasonCode: string | null;
  readonly ruleId: string | null;
  readonly actor: { readonly type: string; readonly id: string; readonly name: string };
  readonly server: string | null;
  readonly tool: string | null;
  readonly target: string | null;
  readonly latencyMs: number | null;
  /** What a person reads first: "Agent triage-bot called files__read_file and got an answer in 12 ms." */
  readonly sentence: string;
};

/** GET /api/v1/audit/entries/{id} */
export type EntryDetail = EntryView & {
  /** The record the chain is computed over, parsed. */
  readonly record: Readonly<Record<string, unknown>>;
  readonly recordSha256: string;
  readonly prevHash: string;
  readonly hash: string;
  /** Recomputed now from the stored bytes. */
  readonly hashValid: boolean;
  /** Arguments / result / before / after. null: nothing recorded; "forbidden": needs audit:payload. */
  readonly payload: unknown;
  readonly payloadAccess: "shown" | "forbidden" | "none";
  readonly related: readonly {
    readonly id: string;
    readonly seq: number;
    readonly type: string;
    readonly phase: string;
    readonly outcome: string;
    readonly ts: string;
  }[];
  readonly previousId: string | null;
  readonly nextId: string | null;
};

/** POST /api/v1/audit/verify: walks the whole chain of the tenant from its first entry. */
export type VerifyReport = {
  readonly valid: boolean;
  readonly entries: number;
  readonly fromSeq: number;
  readonly toSeq: number;
  readonly head: string;
  readonly firstBreak: { readonly seq: number; readonly id: string | null; readonly problem: string } | null;
  readonly openIntents: number;
  readonly unknownOutcomes: number;
  readonly tookMs: number;
};

/** GET /api/v1/audit/export?…same filter: JSONL, first line states range and head. */
export const exportEntriesInput = searchEntriesInput.omit({ limit: true, cursor: true });
