import "server-only";
import { newId } from "@/lib/core/ids";
import { logger } from "@/lib/core/logger";
import { singleton } from "@/lib/core/singleton";
import type { TenantTx } from "@/lib/db/in-tenant";
import { tenantSql } from "@/lib/db/sql";
import type { CircuitKind } from "@/lib/metrics/schemas";

/** A circuit that changed its state, told by the one process that changed it. */
export type CircuitChange = {
  readonly tenantId: string;
  readonly server: string;
  /** Null for the server's own circuit. */
  readonly tool: string | null;
  readonly state: CircuitKind;
  readonly reason: string;
  /** Whose circuit it is; null where all processes share it. */
  readonly process: string | null;
};
type Waiting = CircuitChange & { readonly id: string; readonly at: Date };

/** What the database does not take waits here, and must not fill the memory. */
const MAX_WAITING = 10_000;

const held = singleton("metrics.circuit-history", () => ({
  waiting: [] as Waiting[],
  storing: null as Promise<void> | null,
}));

/** Notes a change. Nobody waits for the database: what it does not take now is stored with the next figures. */
export function recordCircuitChange(change: CircuitChange): void {
  if (held.waiting.length >= MAX_WAITING) return;
  held.waiting.push({ ...change, id: newId(), at: new Date() });
  storeCircuitChanges().catch((cause: unknown) => {
    logger.warn({ err: cause }, "a circuit's change was not stored; trying again");
  });
}

/** Stores the changes that wait, in their order. Throws when the database does not take them. */
export async function storeCircuitChanges(): Promise<void> {
  await held.storing?.catch(() => undefined);
  held.storing ??= storeAll().finally(() => {
    held.storing = null;
  });
  await held.storing;
}

// The same change may be stored again when its commit went unanswered.
const STORE = `insert into circuit_changes (tenant_id, id, at, server, tool, state, reason, process)
  values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing`;

async function storeAll(): Promise<void> {
  for (let next = held.waiting[0]; next !== undefined; next = held.waiting[0]) {
    const { tenantId, id, at, server, tool, state, reason, process } = next;
    const values = [tenantId, id, at, server, tool ?? "", state, reason, process];
    await tenantSql(tenantId, (client) => client.query(STORE, values));
    held.waiting.shift();
  }
}

type Word = { readonly state: CircuitKind; readonly reason: string; readonly by: string };

/** Notes a person's word over a server's circuit, with the act itself. What else was open of the server begins anew with it. */
export async function noteCircuitWord(tx: TenantTx, tenantId: string, server: string, word: Word): Promise<void> {
  if (word.state === "closed") await noteCircuitsAnew(tx, tenantId, server, word);
  await tx.circuitChange.create({ data: { tenantId, id: newId(), at: new Date(), server, ...word } });
}

const ANEW = `insert into circuit_changes (tenant_id, id, at, server, tool, state, reason, by)
  select $1::uuid, gen_random_uuid(), now(), $2, tool, 'closed', $3, $4
  from (select distinct on (tool) tool, state from circuit_changes where tenant_id = $1::uuid and server = $2
    order by tool, at desc, id desc) as last where state in ('open', 'half-open')`;

/** A server that is changed so that it counts as another one has failed nobody yet: what was open is closed. */
export async function noteCircuitsAnew(
  tx: TenantTx,
  tenantId: string,
  server: string,
  { reason, by }: Omit<Word, "state">,
): Promise<void> {
  await tx.$executeRawUnsafe(ANEW, tenantId, server, reason, by);
}
