import type { RecordFields } from "@/lib/audit/record";
import { toSentence } from "@/lib/audit/sentence";
import { parseRecord } from "@/lib/audit/views";
import { covers } from "@/lib/core/permission";
import type { TenantTx } from "@/lib/db/in-tenant";
import { defineRead } from "@/lib/db/verbs";
import { knownDeploys } from "@/lib/metrics/deploys";
import { type Mark, type MarksView, marksInput } from "@/lib/metrics/schemas";
import { windowOf } from "@/lib/metrics/window";

const MAX_MARKS = 200;

type Kind = Exclude<Mark["kind"], "deploy">;
type Told = readonly [kind: Kind, plainly: string];

const server = (plainly: string): Told => ["server", plainly];
/** What a chart is marked with, and what is said of it to those who may not read the trail. */
const EVENTS: Readonly<Record<string, Told>> = {
  "permission_map.changed": ["permission_map", "The permission map was changed."],
  "permission_map.reverted": ["permission_map", "The permission map was taken back to an earlier version."],
  "role_grants.changed": ["permission_map", "What roles hold was changed."],
  "server.registered": server("A server was registered."),
  "server.changed": server("A server was changed."),
  "server.enabled": server("A server was enabled."),
  "server.disabled": server("A server was disabled."),
  "server.retired": server("A server was retired."),
  "server.tools_changed": server("A server changed the tools it offers."),
  "server.became_unavailable": server("A server stopped answering."),
  "server.recovered": server("A server answers again."),
  "tool_definition.held": server("A tool's definition was held for review."),
  "tool_definition.accepted": server("A tool's definition was accepted."),
  "tool_definition.rejected": server("A tool's definition was rejected."),
  "retry_policy.changed": server("How calls are repeated was changed."),
  "tool_cache.changed": server("How long answers are given again was changed."),
  "kill_switch.thrown": ["kill_switch", "A kill switch was thrown."],
  "kill_switch.lifted": ["kill_switch", "A kill switch was lifted."],
  "circuit.opened": ["circuit", "A circuit opened."],
  "circuit.closed": ["circuit", "A circuit closed."],
  "circuit.tripped": ["circuit", "A circuit was tripped."],
  "circuit.disabled": ["circuit", "A circuit was disabled."],
  "circuit.reset": ["circuit", "A circuit was reset."],
};
/** They are about every server. */
const EVERYWHERE = Object.keys(EVENTS).filter((event) => EVENTS[event]?.[0] === "permission_map");

// The phases are spelt out as the index has them; without that the calls would be searched as well.
const ACTS = `select (extract(epoch from ts) * 1000)::float8 as at, event_id::text as id, event_type as event, record
  from audit_entries where tenant_id = $1::uuid and phase in ('admin', 'system')
    and ts >= $2::timestamptz and ts < $3::timestamptz and event_type = any($4::text[])
    and ($5::text is null or event_type = any($6::text[]) or server = $5 or target in ($5, 'server ' || $5)
      or starts_with(target, $5 || '/') or starts_with(target, 'tool ' || $5 || '/') or starts_with(target, 'tenant '))
  order by ts desc, seq desc limit ${MAX_MARKS + 1}`;

type Act = { readonly at: number; readonly id: string; readonly event: string; readonly record: Uint8Array };

/** What happened beside the calls: to be drawn over the figures, so that a change and its effect are seen together. */
export const readMarks = defineRead({
  permission: "metrics:read",
  input: marksInput,
  run: async (tx, ctx, { server: slug, ...asked }): Promise<MarksView> => {
    const window = windowOf(asked);
    const acts = await readActs(tx, ctx.tenantId, window, slug ?? null);
    const mayRead = covers(ctx.permissions, "audit:read");
    const marks = [...acts.toReversed().map((act) => toMark(act, mayRead)), ...deploysOf(window)];
    marks.sort((left, right) => Date.parse(left.at) - Date.parse(right.at));
    return {
      ...{ from: new Date(window.from).toISOString(), to: new Date(window.to).toISOString() },
      ...{ marks: marks.slice(-MAX_MARKS), more: marks.length > MAX_MARKS },
    };
  },
});

type Window = { readonly from: number; readonly to: number };

async function readActs(
  tx: TenantTx,
  tenantId: string,
  { from, to }: Window,
  slug: string | null,
): Promise<readonly Act[]> {
  const [start, end] = [from, to].map((time) => new Date(time).toISOString());
  return tx.$queryRawUnsafe<Act[]>(ACTS, tenantId, start, end, Object.keys(EVENTS), slug, EVERYWHERE);
}

function toMark({ at, id, event, record }: Act, mayRead: boolean): Mark {
  const [kind, plainly] = EVENTS[event] ?? server("A server was changed.");
  const common = { at: new Date(at).toISOString(), kind };
  const fields: RecordFields | null = mayRead ? parseRecord(record) : null;
  if (fields === null) return { ...common, text: plainly, entryId: null, by: "" };
  return { ...common, text: toSentence(fields), entryId: id, by: String(fields.actor_name ?? "") };
}

const deploysOf = ({ from, to }: Window): readonly Mark[] =>
  knownDeploys()
    .filter(({ at }) => at >= from && at < to)
    .map(({ at, version }) => ({
      ...{ at: new Date(at).toISOString(), kind: "deploy", entryId: null, by: "" },
      text: `Version ${version} of the gateway was started.`,
    }));
