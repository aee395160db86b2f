import "server-only";
import type { BusMessage } from "@/lib/core/bus";
import { actorName } from "@/lib/core/context";
import { AppError } from "@/lib/core/errors";
import { newId } from "@/lib/core/ids";
import type { TenantTx } from "@/lib/db/in-tenant";
import { defineWrite } from "@/lib/db/verbs";
import { type KillKind, liftKillSwitchInput, throwKillSwitchInput } from "@/lib/kill-switches/schemas";
import { toKillSwitchView } from "@/lib/kill-switches/views";

const changed = (tenantId: string): readonly BusMessage[] => [{ topic: "kill_switch.changed", tenantId }];
const nameOf = ({ kind, target }: { readonly kind: string; readonly target: string }) => `${kind} ${target}`;

/** Who throws or lifts at the same moment waits, and then sees what the first one did: in an emergency several people press the same button. */
async function afterOthers(tx: TenantTx, tenantId: string): Promise<void> {
  await tx.$executeRaw`select pg_advisory_xact_lock(hashtextextended(${`kill_switches:${tenantId}`}, 0))`;
}

/** Stops an agent, a tool, a server or the whole tenant within seconds, calls in flight included. */
export const throwKillSwitch = defineWrite({
  permission: "killswitch:write",
  input: throwKillSwitchInput,
  status: 201,
  run: async (tx, ctx, { kind, target: named, reason }) => {
    const { tenantId } = ctx;
    const target = await targetOf(tx, tenantId, kind, named);
    await afterOthers(tx, tenantId);
    const inForce = await tx.killSwitch.findFirst({ where: { tenantId, kind, target, liftedAt: null } });
    if (inForce !== null) throw new AppError("conflict", `The ${nameOf(inForce)} is already stopped.`);
    const data = { tenantId, id: newId(), kind, target, reason, thrownBy: actorName(ctx.actor) };
    const row = await tx.killSwitch.create({ data });
    return {
      result: toKillSwitchView(row),
      audit: {
        ...{ action: "kill_switch.thrown" as const, target: nameOf(row), after: { id: row.id, kind, target } },
        ...(reason === "" ? {} : { reason }),
      },
      publish: changed(tenantId),
    };
  },
});

/** Lets calls through again. */
export const liftKillSwitch = defineWrite({
  permission: "killswitch:write",
  input: liftKillSwitchInput,
  run: async (tx, ctx, { id, reason }) => {
    const { tenantId } = ctx;
    const where = { tenantId_id: { tenantId, id } };
    await afterOthers(tx, tenantId);
    const before = await tx.killSwitch.findUnique({ where });
    if (before === null) throw new AppError("not_found", "There is no such kill switch.");
    if (before.liftedAt !== null) throw new AppError("conflict", "This kill switch was lifted already.");
    const row = await tx.killSwitch.update({
      where,
      data: { liftedAt: new Date(), liftedBy: actorName(ctx.actor) },
    });
    return {
      result: toKillSwitchView(row),
      audit: {
        ...{ action: "kill_switch.lifted" as const, target: nameOf(row), before: { id, thrownBy: row.thrownBy } },
        ...(reason === undefined || reason === "" ? {} : { reason }),
      },
      publish: changed(tenantId),
    };
  },
});

/** What is named must be there: a switch with a mistyped target would stop nothing and look as if it did. */
async function targetOf(tx: TenantTx, tenantId: string, kind: KillKind, named: string): Promise<string> {
  switch (kind) {
    case "tenant": {
      const tenant = await tx.tenant.findUnique({ where: { id: tenantId }, select: { slug: true } });
      return tenant?.slug ?? "";
    }
    case "agent":
      if ((await tx.agent.count({ where: { tenantId, slug: named } })) === 0) throw unknown("agent", named);
      return named;
    case "server":
      if ((await tx.server.count({ where: { tenantId, slug: named } })) === 0) throw unknown("server", named);
      return named;
    case "tool": {
      const border = named.indexOf("/");
      const [slug, name] = [named.slice(0, Math.max(0, border)), named.slice(border + 1)];
      if ((await tx.serverTool.count({ where: { tenantId, name, server: { slug } } })) === 0)
        throw unknown("tool", named);
      return named;
    }
  }
}

const unknown = (kind: KillKind, named: string): AppError =>
  new AppError("invalid_input", `There is no ${kind} ${named}.`, {
    issues: [{ path: "target", rule: `must be a known ${kind}` }],
  });
