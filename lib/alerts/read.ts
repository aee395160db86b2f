import "server-only";
import { z } from "zod";
import { requireAlert } from "@/lib/alerts/internal";
import {
  type AlertDetailView,
  type AlertEvent,
  type AlertRuleView,
  type AlertView,
  alertRef,
  listAlertsInput,
} from "@/lib/alerts/schemas";
import { ensureRules } from "@/lib/alerts/turns";
import { toAlertView, toDetailView, toRuleView } from "@/lib/alerts/views";
import type { Page } from "@/lib/core/wire";
import { decodeCursor, encodeCursor } from "@/lib/db/cursor";
import type { TenantTx } from "@/lib/db/in-tenant";
import { defineRead } from "@/lib/db/verbs";
import type { Alert } from "@/lib/generated/prisma/client";

/** Every rule of the tenant: its own by name, then the built-in ones. */
export const listAlertRules = defineRead({
  permission: "alerts:read",
  input: z.object({}),
  run: async (tx, { tenantId }): Promise<readonly AlertRuleView[]> => {
    await ensureRules(tx, tenantId);
    const rows = await tx.alertRule.findMany({ where: { tenantId }, orderBy: [{ name: "asc" }, { id: "asc" }] });
    const views = rows.map(toRuleView);
    return [...views.filter(({ builtIn }) => !builtIn), ...views.filter(({ builtIn }) => builtIn)];
  },
});

/** Where a page ended: how pressing its last alert was, since when or until when it was, and its id. */
const position = z.tuple([z.number().int().min(0).max(3), z.number().int(), z.uuid()]);
type Position = z.output<typeof position>;

const RESOLVED = 3;

/** What is most pressing first: firing by severity, then pending, the latest first; then the latest that are over. */
export const listAlerts = defineRead({
  permission: "alerts:read",
  input: listAlertsInput,
  run: async (tx, { tenantId }, { state, server, limit, cursor }): Promise<Page<AlertView>> => {
    const after = cursor === undefined ? null : decodeCursor(cursor, position);
    const of = { tenantId, ...(server === undefined ? {} : { server }) };
    const open =
      after !== null && after[0] === RESOLVED
        ? []
        : await tx.alert.findMany({ where: { ...of, state: { not: "resolved" } } });
    const pressing = open
      .sort((left, right) => compare(positionOf(left), positionOf(right)))
      .filter((row) => after === null || compare(positionOf(row), after) > 0);
    const wanted = limit + 1 - pressing.length;
    const over = state === "open" || wanted <= 0 ? [] : await readResolved(tx, of, after, wanted);
    const rows = [...pressing, ...over].slice(0, limit + 1);
    const shown = rows.slice(0, limit);
    const last = shown.at(-1);
    const nextCursor = rows.length > limit && last !== undefined ? encodeCursor(positionOf(last)) : null;
    return { items: shown.map(toAlertView), nextCursor };
  },
});

function positionOf(row: Alert): Position {
  const rank = row.state === "resolved" ? RESOLVED : row.state === "pending" ? 2 : row.severity === "critical" ? 0 : 1;
  return [rank, (row.resolvedAt ?? row.since).getTime(), row.id];
}

/** Lower ranks first, then later times, then later ids. */
function compare([rank, at, id]: Position, [otherRank, otherAt, otherId]: Position): number {
  if (rank !== otherRank) return rank - otherRank;
  if (at !== otherAt) return otherAt - at;
  return id === otherId ? 0 : id < otherId ? 1 : -1;
}

type Of = { readonly tenantId: string; readonly server?: string };

async function readResolved(tx: TenantTx, of: Of, after: Position | null, take: number): Promise<readonly Alert[]> {
  const [rank, at, id] = after ?? [0, 0, ""];
  const resolvedAt = new Date(at);
  const older = { OR: [{ resolvedAt: { lt: resolvedAt } }, { resolvedAt, id: { lt: id } }] };
  return tx.alert.findMany({
    where: { ...of, state: "resolved", ...(rank === RESOLVED ? older : {}) },
    orderBy: [{ resolvedAt: "desc" }, { id: "desc" }],
    take,
  });
}

/** One alert with all that happened about it, oldest first. */
export const getAlert = defineRead({
  permission: "alerts:read",
  input: alertRef,
  run: async (tx, { tenantId }, { id }): Promise<AlertDetailView> => readDetail(tx, tenantId, id),
});

export async function readDetail(tx: TenantTx, tenantId: string, id: string): Promise<AlertDetailView> {
  const row = await requireAlert(tx, tenantId, id);
  const events = await tx.alertEvent.findMany({
    where: { tenantId, alertId: id },
    orderBy: [{ at: "asc" }, { id: "asc" }],
  });
  const own = events.map(({ at, what, who, text }) => ({
    at: at.toISOString(),
    what: what as AlertEvent["what"],
    who,
    text,
  }));
  const history = [...own, ...(await readNotices(tx, tenantId, id))];
  return toDetailView(
    row,
    history.sort((left, right) => left.at.localeCompare(right.at)),
  );
}

/** How the notices about an alert ended. Those that still wait have nothing to tell yet. */
async function readNotices(tx: TenantTx, tenantId: string, alertId: string): Promise<readonly AlertEvent[]> {
  const rows = await tx.alertNotice.findMany({
    where: { tenantId, alertId, endedAt: { not: null } },
    select: { event: true, state: true, endedAt: true, error: true, channel: { select: { name: true } } },
    orderBy: { seq: "asc" },
  });
  return rows.map(({ event, state, endedAt, error, channel }) => {
    const isDelivered = state === "delivered";
    const why = error === null ? "" : ` ${error}`;
    return {
      at: (endedAt ?? new Date(0)).toISOString(),
      what: isDelivered ? ("notice_delivered" as const) : ("notice_failed" as const),
      who: channel.name,
      text: isDelivered
        ? `Told ${channel.name} that it is ${event}.`
        : `Could not tell ${channel.name} that it is ${event}.${why}`,
    };
  });
}
