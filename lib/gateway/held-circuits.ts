import type { Grant } from "@/lib/gateway/authorize";
import type { Cell } from "@/lib/gateway/circuit-cell";
import { makeSeats, type Seats } from "@/lib/resilience/seats";
import type { RegisteredServer } from "@/lib/servers/registered-server";

/** The circuits of one server, its tools' own among them, and the places there. */
export type Held = {
  readonly version: string;
  readonly generation: number;
  readonly seats: Seats;
  readonly own: Cell;
  readonly tools: Map<string, Cell>;
  server: RegisteredServer;
};

export const cellsOf = ({ own, tools }: Held): Cell[] => [own, ...tools.values()];

/** What this process holds of each tenant's servers: made when a server is first met, and retired when it is replaced. */
export class HeldCircuits {
  private readonly tenants = new Map<string, Map<string, Held>>();
  private readonly makeCell: (server: RegisteredServer, tool: string | null) => Cell;

  constructor(makeCell: (server: RegisteredServer, tool: string | null) => Cell) {
    this.makeCell = makeCell;
  }

  of(server: RegisteredServer): Held {
    const servers = this.tenants.get(server.tenantId) ?? new Map<string, Held>();
    this.tenants.set(server.tenantId, servers);
    const { version, circuit, pool } = server;
    const found = servers.get(server.id);
    // A call that was allowed before a person began the circuit anew does not bring the old one back.
    if (found?.version === version && found.generation > circuit.generation) return found;
    // Another address or credential is another server, and a new generation a new beginning: it has failed nobody yet.
    if (found !== undefined && found.version === version && found.generation === circuit.generation) {
      found.server = server;
      dropTools(found);
      return found;
    }
    if (found !== undefined) retire(found);
    const seats = found?.version === version ? found.seats : makeSeats(pool.maxConcurrent, pool.maxQueued);
    const own = this.makeCell(server, null);
    const made: Held = { version, generation: circuit.generation, seats, own, tools: new Map(), server };
    servers.set(server.id, made);
    return made;
  }

  cellFor(held: Held, { server, ref }: Grant): Cell {
    if (!server.circuit.perTool.has(ref.tool)) return held.own;
    const cell = held.tools.get(ref.tool) ?? this.makeCell(server, ref.tool);
    held.tools.set(ref.tool, cell);
    return cell;
  }

  has(tenantId: string, serverId: string): boolean {
    return this.tenants.get(tenantId)?.has(serverId) === true;
  }

  forget(tenantId: string, serverId: string): void {
    const servers = this.tenants.get(tenantId);
    const found = servers?.get(serverId);
    if (found !== undefined) retire(found);
    servers?.delete(serverId);
    if (servers?.size === 0) this.tenants.delete(tenantId);
  }

  in(tenantId: string): Held[] {
    return [...(this.tenants.get(tenantId)?.values() ?? [])];
  }

  all(): Held[] {
    return [...this.tenants.values()].flatMap((servers) => [...servers.values()]);
  }
}

const retire = (held: Held): void => {
  for (const cell of cellsOf(held)) cell.retire();
};

/** A tool that has no circuit of its own any more is the server's matter again. */
function dropTools({ tools, server }: Held): void {
  for (const [tool, cell] of tools) {
    if (server.circuit.perTool.has(tool)) continue;
    cell.retire();
    tools.delete(tool);
  }
}
