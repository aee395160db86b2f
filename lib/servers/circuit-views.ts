import { singleton } from "@/lib/core/singleton";
import type { CircuitView, PoolView } from "@/lib/servers/schemas";

type HeldView = CircuitView & { readonly generation: number };
type ReadCircuits = (tenantId: string) => ReadonlyMap<string, HeldView>;
type DecidedServer = {
  readonly slug: string;
  readonly circuitOverride: string | null;
  readonly circuitGeneration: number;
};
type ReadPools = (tenantId: string) => ReadonlyMap<string, PoolView>;

const held = singleton("servers.circuits", () => ({
  circuits: null as ReadCircuits | null,
  pools: null as ReadPools | null,
}));

const CLOSED: CircuitView = {
  kind: "closed",
  consecutiveFailures: 0,
  openUntil: null,
  lastFailure: null,
  cause: null,
  windowCalls: 0,
  successRate: null,
  tools: [],
};

/** The gateway owns the circuits and pools and tells here how to read them, so that servers need not know the gateway. */
export function provideCircuitViews(circuits: ReadCircuits, pools: ReadPools): void {
  held.circuits = circuits;
  held.pools = pools;
}

/** The circuit of a server; closed where nothing was called yet, unless a person decided otherwise. */
export function circuitOf(tenantId: string): (server: DecidedServer) => CircuitView {
  const views = held.circuits?.(tenantId);
  return ({ slug, circuitOverride, circuitGeneration }) => {
    const known = views?.get(slug);
    // What a person has started anew since is shown so before the next call finds it.
    const { generation: _, ...view } = known?.generation === circuitGeneration ? known : { ...CLOSED, generation: 0 };
    if (circuitOverride === "forced-open" || circuitOverride === "disabled") return { ...view, kind: circuitOverride };
    return view.kind === "forced-open" || view.kind === "disabled" ? CLOSED : view;
  };
}

/** A circuit of this process that is open, or being tried, by itself and not by a person's word. */
export type OpenCircuit = Pick<CircuitView, "cause" | "lastFailure"> & {
  readonly server: string;
  /** Null for the server's own. */
  readonly tool: string | null;
  readonly generation: number;
};

const opensItself = (kind: CircuitView["kind"]): boolean => kind === "open" || kind === "half-open";

/** What this process holds open in a tenant: it is all that this process knows of it. */
export function openCircuits(tenantId: string): readonly OpenCircuit[] {
  return [...(held.circuits?.(tenantId) ?? [])].flatMap(([server, { kind, tools, generation, cause, lastFailure }]) => [
    ...(opensItself(kind) ? [{ server, tool: null, generation, cause, lastFailure }] : []),
    ...tools
      .filter((each) => opensItself(each.kind))
      .map(({ tool }) => ({ server, tool, generation, cause: null, lastFailure })),
  ]);
}

/** The places and connections of this process to a server; null before the first. */
export function poolOf(tenantId: string): (slug: string) => PoolView | null {
  const views = held.pools?.(tenantId);
  return (slug) => views?.get(slug) ?? null;
}
