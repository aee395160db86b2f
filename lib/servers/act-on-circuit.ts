import "server-only";
import { actorName } from "@/lib/core/context";
import { defineWrite } from "@/lib/db/verbs";
import { noteCircuitWord } from "@/lib/metrics/circuit-history";
import { readServerDetail } from "@/lib/servers/detail";
import { requireServer, serverChanged } from "@/lib/servers/internal";
import { actOnCircuitInput, type CircuitAct } from "@/lib/servers/schemas";

const WHAT = {
  trip: { action: "circuit.tripped", override: "forced-open" },
  close: { action: "circuit.closed", override: null },
  disable: { action: "circuit.disabled", override: "disabled" },
  reset: { action: "circuit.reset", override: null },
} as const satisfies Record<CircuitAct, { action: string; override: string | null }>;

/**
 * A person's word over a server's circuits. It is a row, not a message: it holds in every process, with Redis or
 * without, and after a restart. Closing and resetting begin a new generation, so that no process keeps an old state.
 */
export const actOnCircuit = defineWrite({
  permission: "servers:write",
  input: actOnCircuitInput,
  run: async (tx, ctx, { id, act, reason }) => {
    const { tenantId } = ctx;
    const row = await requireServer(tx, tenantId, id);
    const { action, override } = WHAT[act];
    const before = (await readServerDetail(tx, tenantId, id)).circuit;
    await tx.server.update({
      where: { tenantId_id: { tenantId, id } },
      data: {
        circuitOverride: override,
        ...(override === null ? { circuitGeneration: { increment: 1 } } : {}),
        updatedAt: new Date(),
      },
    });
    const word = { state: override ?? "closed", reason, by: actorName(ctx.actor) } as const;
    await noteCircuitWord(tx, tenantId, row.slug, word);
    const { kind, lastFailure, cause } = before;
    return {
      result: await readServerDetail(tx, tenantId, id),
      audit: {
        ...{ action, target: row.slug, reason },
        ...{ before: { kind, lastFailure, cause }, after: { kind: override ?? "closed" } },
      },
      publish: [serverChanged(tenantId, id)],
    };
  },
});
