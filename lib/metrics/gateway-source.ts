import { singleton } from "@/lib/core/singleton";

/** What the gateway of this process holds now, over all tenants. Counts only go up while the process lives. */
export type GatewayFigures = {
  /** How many circuits are in which state. */
  readonly circuits: ReadonlyMap<string, number>;
  readonly connectionsOpen: number;
  readonly connectionsCreated: number;
  readonly connectionsReused: number;
  readonly callsInFlight: number;
  readonly callsQueued: number;
  readonly placesExhausted: number;
  readonly placesRefused: number;
};
type Source = () => Promise<GatewayFigures>;

const held = singleton("metrics.gateway-source", () => ({ source: null as Source | null }));

/** Told once at boot by the gateway, which figures must not import. */
export function provideGatewayFigures(source: Source): void {
  held.source = source;
}

/** Null in a process without a gateway. */
export const gatewayFigures = async (): Promise<GatewayFigures | null> => (await held.source?.()) ?? null;
