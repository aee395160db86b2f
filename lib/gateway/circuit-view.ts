import type { Cell } from "@/lib/gateway/circuit-cell";
import type { CircuitState } from "@/lib/resilience/circuit";
import { EMPTY_WINDOW, mergeWindows, totals } from "@/lib/resilience/circuit-window";
import type { RegisteredServer } from "@/lib/servers/registered-server";
import type { CircuitView } from "@/lib/servers/schemas";

/** A view, and which generation of the server's circuits it shows. */
export type HeldView = CircuitView & { readonly generation: number };

const windowOf = (state: CircuitState) => (state.kind === "closed" ? state.window : EMPTY_WINDOW);
/** People read a time of day; `now` is that of the clock by which the circuit rests. */
const openUntil = (state: CircuitState, now: number) =>
  state.kind === "open" ? new Date(Date.now() + state.until - now).toISOString() : null;

/** The server's own circuit, the calls of all its circuits together, and those of its tools that are not closed. */
export function toView(
  held: { readonly own: Cell; readonly tools: ReadonlyMap<string, Cell>; readonly server: RegisteredServer },
  now: number,
): HeldView {
  const { policy, generation } = held.server.circuit;
  const state = held.own.current();
  const tools = [...held.tools].map(([tool, cell]) => ({ tool, cell, state: cell.current() }));
  const window = tools.reduce((sum, each) => mergeWindows(sum, windowOf(each.state)), windowOf(state));
  const { calls, failures } = totals(window, policy.windowMs, now);
  return {
    generation,
    kind: state.kind,
    consecutiveFailures: state.kind === "closed" ? state.consecutiveFailures : 0,
    openUntil: openUntil(state, now),
    lastFailure:
      held.own.lastFailure() ?? tools.map(({ cell }) => cell.lastFailure()).find((code) => code !== null) ?? null,
    cause: state.kind === "open" ? state.cause : null,
    windowCalls: calls,
    successRate: calls === 0 ? null : (calls - failures) / calls,
    tools: tools
      .filter((each) => each.state.kind !== "closed")
      .map(({ tool, state: its }) => ({ tool, kind: its.kind, openUntil: openUntil(its, now) })),
  };
}
