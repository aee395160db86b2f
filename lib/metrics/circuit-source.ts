import { singleton } from "@/lib/core/singleton";

export type CircuitKind = "closed" | "open" | "half-open" | "forced-open" | "disabled";
export type CircuitSource = (tenantId: string) => ReadonlyMap<string, { readonly kind: CircuitKind }>;

const none: ReadonlyMap<string, { readonly kind: CircuitKind }> = new Map();
const held = () => singleton("metrics.circuit-source", () => ({ current: null as CircuitSource | null }));

/** Told once at boot by the gateway, which owns the circuits; figures must not import it. */
export function setCircuitSource(source: CircuitSource): void {
  held().current = source;
}

/** The circuits of a tenant by server slug; a server without one is closed. */
export const circuitsOf: CircuitSource = (tenantId) => held().current?.(tenantId) ?? none;
