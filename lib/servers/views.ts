import type { PermissionRules } from "@/lib/access/permission-map";
import type { Server, ServerHealth, ServerTool } from "@/lib/generated/prisma/client";
import type { Neighbours } from "@/lib/servers/definition-warnings";
import { reviewSha256 } from "@/lib/servers/pinned-definition";
import { type ReviewMarks, reviewStateOf, toReview } from "@/lib/servers/review-view";
import type {
  CircuitPolicyInput,
  CircuitView,
  HealthView,
  PoolLimitsInput,
  PoolView,
  ProbedTool,
  ServerDetail,
  ServerToolView,
  ServerView,
} from "@/lib/servers/schemas";

type ListedTool = Pick<ServerTool, "name"> & ReviewMarks;

/** What a view is made from. The sealed credential is no part of it; only the names in it are. */
export type ServerFacts = {
  readonly row: Omit<Server, "credential" | "credentialKeyId">;
  readonly credentialNames: readonly string[];
  readonly rules: PermissionRules;
  readonly circuit: CircuitView;
  readonly pool: PoolView | null;
};

/** How it fares, and what the review of its tools needs; read where it is shown. */
type Health = { readonly health: ServerHealth | null };
type Pinned = Health & {
  readonly neighbours: Neighbours;
  /** All rows, those of tools it offers no more among them. */
  readonly removed: readonly Pick<ServerTool, "name" | "removedAt">[];
};

const toHealthView = (health: ServerHealth | null): HealthView => ({
  status: (health?.status ?? "unknown") as HealthView["status"],
  reasonCode: health?.reasonCode ?? null,
  reason: health?.reason ?? null,
  since: health === null || health.status === "unknown" ? null : health.since.toISOString(),
  checkedAt: health?.checkedAt?.toISOString() ?? null,
});

const word = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

/** The whole command line, quoted so that every word can be told apart. */
export function commandLine(row: Pick<Server, "command" | "args" | "env">): string {
  const variables = Object.entries(row.env as Record<string, string>).map(([name, value]) => `${name}=${word(value)}`);
  return [...variables, ...[row.command ?? "", ...row.args].map(word)].join(" ");
}

const permissionOf = (rules: PermissionRules, server: string, tool: string): string | null =>
  Object.hasOwn(rules, `${server}/${tool}`) ? (rules[`${server}/${tool}`] ?? null) : null;

/** A row as the wire shows it. */
export function toServerView(
  { row, rules, circuit, pool, credentialNames, health }: ServerFacts & Health,
  tools: readonly ListedTool[],
): ServerView {
  const states = tools.map((tool) => reviewStateOf(tool, permissionOf(rules, row.slug, tool.name) !== null));
  return {
    id: row.id,
    slug: row.slug,
    name: row.name,
    description: row.description,
    transport: row.transport as ServerView["transport"],
    address: row.transport === "stdio" ? commandLine(row) : (row.url ?? ""),
    status: row.status as ServerView["status"],
    zones: row.zones,
    residency: row.residency,
    deadlineMs: row.deadlineMs,
    poolSize: row.poolSize,
    credentialNames,
    toolCount: tools.length,
    mappedToolCount: tools.filter((tool) => permissionOf(rules, row.slug, tool.name) !== null).length,
    heldToolCount: states.filter((state) => state === "held").length,
    newToolCount: states.filter((state) => state === "new").length,
    health: toHealthView(health),
    probe: row.probe as ServerView["probe"],
    probedAt: row.probedAt?.toISOString() ?? null,
    circuitPolicy: row.circuitPolicy as CircuitPolicyInput | null,
    poolLimits: row.poolLimits as PoolLimitsInput | null,
    circuit,
    pool,
    createdAt: row.createdAt.toISOString(),
  };
}

const toToolView = (
  tool: ServerTool,
  server: string,
  rules: PermissionRules,
  neighbours: Neighbours,
): ServerToolView => ({
  name: tool.name,
  title: tool.title,
  description: tool.description,
  inputSchema: tool.inputSchema,
  annotations: tool.annotations as ProbedTool["annotations"],
  definitionSha256: tool.definitionSha256,
  reviewSha256: reviewSha256(tool),
  suggestedPermission: tool.suggestedPermission,
  permission: permissionOf(rules, server, tool.name),
  review: toReview(tool, permissionOf(rules, server, tool.name) !== null, server, neighbours),
});

/** The same with every tool it offers now. */
export const toServerDetail = (facts: ServerFacts & Pinned, tools: readonly ServerTool[]): ServerDetail => ({
  ...toServerView(facts, tools),
  tools: tools.map((tool) => toToolView(tool, facts.row.slug, facts.rules, facts.neighbours)),
  removedTools: facts.removed.flatMap(({ name, removedAt }) =>
    removedAt === null ? [] : [{ name, removedAt: removedAt.toISOString() }],
  ),
});
