import "server-only";
import { appendInTransaction } from "@/lib/audit/append-in-transaction";
import { bus } from "@/lib/core/bus";
import { newId } from "@/lib/core/ids";
import { inTenant } from "@/lib/db/in-tenant";
import { warmKey } from "@/lib/db/tenant-keys";
import type { EntryBase } from "@/lib/servers/definition-entries";
import { type Finding, findingOf, type HealthState, nextCheckMs, nextHealth } from "@/lib/servers/health/health-rules";
import { type Checked, claim, type DueServer, storeHealth, storeHealthIn } from "@/lib/servers/health/health-store";
import { isAsApproved, type ListedTools, noteTools } from "@/lib/servers/health/note-tools";
import { serverChanged } from "@/lib/servers/internal";
import type { RegisteredServer } from "@/lib/servers/registered-server";
import { enabledServers } from "@/lib/servers/registry";

/** Asks a server for its tools, over a connection that calls use as well. */
export type ListTools = (server: RegisteredServer, deadlineMs: number) => Promise<ListedTools>;

/** A list takes no work: a server that needs longer than this for it does not fare well. */
const MAX_WAIT_MS = 10_000;
/** How long nobody else asks, should this process end halfway. */
const HOLD_MS = 2 * MAX_WAIT_MS;

export type CheckOptions = { readonly processId: string; readonly list: ListTools };

/** Takes a server's turn for this process: how it fared so far; null where it is another's turn, or nobody's yet. */
export const takeTurn = (due: DueServer, processId: string): Promise<HealthState | null> =>
  claim(due, processId, HOLD_MS);

/** Looks at one server if it is this process's turn. */
export async function checkServer(due: DueServer, { processId, list }: CheckOptions): Promise<HealthState | null> {
  const before = await takeTurn(due, processId);
  return before === null ? null : lookAt(due, before, list);
}

/** Looks at a server whose turn was taken: how it fares, and whether its tools are what was approved. */
export async function lookAt(due: DueServer, before: HealthState, list: ListTools): Promise<HealthState> {
  const server = await serverOf(due);
  if (server === undefined) return before;
  const base: EntryBase = {
    tenantId: due.tenantId,
    actor: { type: "system", id: "health", name: "health" },
    requestId: newId(),
  };
  const startedAt = performance.now();
  let finding: Finding = { kind: "unclear" };
  let listed: ListedTools | null = null;
  try {
    listed = await list(server, Math.min(server.deadlineMs, MAX_WAIT_MS));
    finding = { kind: "alive", cut: listed.cut };
  } catch (cause) {
    finding = findingOf(cause);
  }
  const latencyMs = listed === null ? null : Math.round(performance.now() - startedAt);
  const state = nextHealth(before, finding, new Date());
  await keep(server, before, { state, latencyMs, nextCheckMs: nextCheckMs(state) }, base);
  if (listed !== null && !isAsApproved(server, listed)) await noteTools(server, listed, base);
  return state;
}

async function serverOf({ tenantId, serverId }: DueServer): Promise<RegisteredServer | undefined> {
  return [...(await enabledServers(tenantId)).values()].find(({ id }) => id === serverId);
}

/** Stores the state; where it changed for agents, together with its entry. */
async function keep(server: RegisteredServer, before: HealthState, checked: Checked, base: EntryBase): Promise<void> {
  const { tenantId, id, slug } = server;
  const { state } = checked;
  const wentDown = state.status === "unavailable" && before.status !== "unavailable";
  const cameBack = state.status === "healthy" && before.status === "unavailable";
  if (!wentDown && !cameBack) return storeHealth({ tenantId, serverId: id }, checked);
  await warmKey(tenantId, "payload");
  const common = { ...base, phase: "system", server: slug, serverId: id, target: slug } as const;
  const why = { reasonCode: state.reasonCode ?? "unknown", reason: state.reason ?? "" };
  await inTenant(tenantId, async (tx) => {
    await storeHealthIn(tx, { tenantId, serverId: id }, checked);
    await appendInTransaction(
      tx,
      wentDown
        ? { ...common, ...why, eventType: "server.became_unavailable", outcome: "failure" }
        : { ...common, eventType: "server.recovered", outcome: "success" },
    );
  });
  bus.publish(serverChanged(tenantId, id));
}
