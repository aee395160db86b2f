import "server-only";
import { requireAlert } from "@/lib/alerts/internal";
import { readDetail } from "@/lib/alerts/read";
import { subjectName } from "@/lib/alerts/rules";
import { acknowledgeAlertInput } from "@/lib/alerts/schemas";
import { addEvent, tellChannels, toOpenAlert } from "@/lib/alerts/store";
import { actorName } from "@/lib/core/context";
import { AppError } from "@/lib/core/errors";
import type { TenantTx } from "@/lib/db/in-tenant";
import { defineWrite } from "@/lib/db/verbs";
import type { Alert } from "@/lib/generated/prisma/client";

/** Says that somebody is looking after an alert. Afterwards, or when it is over, the same adds a note to its history. */
export const acknowledgeAlert = defineWrite({
  permission: "alerts:acknowledge",
  input: acknowledgeAlertInput,
  run: async (tx, ctx, { id, note: said = "" }) => {
    const { tenantId } = ctx;
    const note = said === "" ? null : said;
    await lockAlert(tx, tenantId, id);
    const row = await requireAlert(tx, tenantId, id);
    const by = actorName(ctx.actor);
    const isFirst = row.acknowledgedAt === null && row.state !== "resolved";
    if (isFirst) await acknowledge(tx, row, by, note);
    else await addNote(tx, row, by, note);
    const reason = note === null ? {} : { reason: note };
    return {
      result: await readDetail(tx, tenantId, id),
      audit: {
        ...{ action: isFirst ? ("alert.acknowledged" as const) : ("alert.annotated" as const), ...reason },
        ...{ target: `${row.ruleName} (${subjectName(toOpenAlert(row).subject)})`, after: { id, note } },
      },
    };
  },
});

/** Two people at once are told one after the other. */
async function lockAlert(tx: TenantTx, tenantId: string, id: string): Promise<void> {
  await tx.$queryRaw`select 1 from alerts where tenant_id = ${tenantId}::uuid and id = ${id}::uuid for update`;
}

async function acknowledge(tx: TenantTx, row: Alert, by: string, note: string | null): Promise<void> {
  const { tenantId, id } = row;
  const at = new Date();
  await tx.alert.update({
    where: { tenantId_id: { tenantId, id } },
    data: { acknowledgedAt: at, acknowledgedBy: by, acknowledgedNote: note },
  });
  const text = note ?? "Acknowledged.";
  await addEvent(tx, row, { at, what: "acknowledged", who: by, text });
  const told = `${by} acknowledged it${note === null ? "." : `: ${note}`}`;
  await tellChannels(tx, toOpenAlert(row), { event: "acknowledged", at, text: told, value: row.value });
}

async function addNote(tx: TenantTx, row: Alert, by: string, note: string | null): Promise<void> {
  if (note !== null) return addEvent(tx, row, { at: new Date(), what: "note", who: by, text: note });
  if (row.state === "resolved") throw new AppError("conflict", "This alert is over. It still takes a note.");
  throw new AppError("conflict", `${row.acknowledgedBy} has acknowledged this alert already. It still takes a note.`);
}
