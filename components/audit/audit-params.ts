import { createLoader, type inferParserType, parseAsString, parseAsStringLiteral } from "nuqs/server";
import type { EntryFilter } from "@/lib/client/audit";

export const RANGE_OPTIONS = [
  { value: "", label: "Any time" },
  { value: "15m", label: "Last 15 minutes" },
  { value: "1h", label: "Last hour" },
  { value: "6h", label: "Last 6 hours" },
  { value: "24h", label: "Last 24 hours" },
  { value: "7d", label: "Last 7 days" },
  { value: "30d", label: "Last 30 days" },
  { value: "90d", label: "Last 90 days" },
] as const;

/** Everything that decides what the audit page shows. A relative range stays relative. */
export const auditParams = {
  range: parseAsString,
  from: parseAsString,
  to: parseAsString,
  server: parseAsString,
  tool: parseAsString,
  caller: parseAsString,
  outcome: parseAsString,
  decision: parseAsStringLiteral(["allowed", "denied"] as const),
  phase: parseAsString,
  trace: parseAsString,
  q: parseAsString,
  /** The entry that is open in the drawer. */
  entry: parseAsString,
};
export type AuditParams = inferParserType<typeof auditParams>;
export type FilterName = Exclude<keyof AuditParams, "entry">;
export type FilterChange = { readonly [K in FilterName]?: AuditParams[K] };

export const loadAuditParams = createLoader(auditParams);

export const NO_FILTER: { readonly [K in FilterName]: null } = {
  range: null,
  from: null,
  to: null,
  server: null,
  tool: null,
  caller: null,
  outcome: null,
  decision: null,
  phase: null,
  trace: null,
  q: null,
};

const isFilterName = (name: string): name is FilterName => name in NO_FILTER;

/** The question to ask; nothing is in it that the address does not say. */
export function filterOf(params: AuditParams): EntryFilter {
  const said = Object.entries(params).filter(([name, value]) => isFilterName(name) && value !== null && value !== "");
  return Object.fromEntries(said);
}

/** What one chooses from as "result": one word for decision and outcome together. */
export const RESULTS = [
  { value: "", label: "Any result" },
  { value: "allowed", label: "Allowed" },
  { value: "denied", label: "Denied" },
  { value: "failure", label: "Failed" },
  { value: "unknown", label: "Unknown" },
  { value: "pending", label: "Still open" },
] as const;

export function resultOf({ decision, outcome }: Pick<AuditParams, "decision" | "outcome">): string {
  if (decision !== null) return decision;
  return RESULTS.some((known) => known.value === outcome) ? (outcome ?? "") : "";
}

export function withResult(result: string): FilterChange {
  if (result === "allowed" || result === "denied") return { decision: result, outcome: null };
  return { decision: null, outcome: result === "" ? null : result };
}

export const PHASE_OPTIONS = [
  { value: "", label: "Everything" },
  { value: "outcome", label: "Tool calls" },
  { value: "admin", label: "Changes and reads" },
  { value: "auth", label: "Sign-ins and refusals" },
  { value: "system", label: "Gateway" },
  { value: "intent", label: "Intents" },
] as const;

export type Chip = { readonly label: string; readonly clears: FilterChange };

const wordOf = (options: readonly { value: string; label: string }[], value: string): string =>
  options.find((option) => option.value === value)?.label ?? value;

/** As exact as it is asked for, without seconds where there are none; null for what is no time. */
function utcText(iso: string | null): string | null {
  const ms = Date.parse(iso ?? "");
  return Number.isNaN(ms) ? null : new Date(ms).toISOString().replace(/(?::00)?\.000Z$|Z$/, "");
}

const moment = (iso: string): string => utcText(iso)?.replace("T", " ").concat(" UTC") ?? iso;

/** The filter as removable words. */
export function chipsOf(params: AuditParams): readonly Chip[] {
  const chips: (Chip | null)[] = [
    params.q ? { label: `“${params.q}”`, clears: { q: null } } : null,
    params.range ? { label: wordOf(RANGE_OPTIONS, params.range), clears: { range: null } } : null,
    params.from ? { label: `from ${moment(params.from)}`, clears: { from: null } } : null,
    params.to ? { label: `until ${moment(params.to)}`, clears: { to: null } } : null,
    params.decision ? { label: wordOf(RESULTS, params.decision), clears: { decision: null } } : null,
    params.outcome ? { label: wordOf(RESULTS, params.outcome), clears: { outcome: null } } : null,
    params.phase ? { label: wordOf(PHASE_OPTIONS, params.phase), clears: { phase: null } } : null,
    params.server ? { label: `server ${params.server}`, clears: { server: null } } : null,
    params.tool ? { label: `tool ${params.tool}`, clears: { tool: null } } : null,
    params.trace ? { label: `trace ${params.trace.slice(0, 8)}…`, clears: { trace: null } } : null,
    params.caller ? { label: `caller ${params.caller}`, clears: { caller: null } } : null,
  ];
  return chips.filter((chip) => chip !== null);
}

/** A `datetime-local` value, read as UTC. */
export function utcInputToIso(text: string): string | null {
  const ms = Date.parse(`${text}Z`);
  return Number.isNaN(ms) ? null : new Date(ms).toISOString();
}

/** What a `datetime-local` input shows for an instant; empty when it is none. */
export const isoToUtcInput = (iso: string | null): string => utcText(iso) ?? "";
