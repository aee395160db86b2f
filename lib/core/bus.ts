import { logger } from "@/lib/core/logger";
import { singleton } from "@/lib/core/singleton";

/** What may be announced. Caches drop what the message names; nothing relies on delivery alone. */
export type BusMessage =
  | { readonly topic: "agent.changed"; readonly tenantId: string; readonly agentId: string }
  | { readonly topic: "server.changed"; readonly tenantId: string; readonly serverId: string }
  | { readonly topic: "circuit.changed"; readonly tenantId: string; readonly circuit: string }
  | { readonly topic: "profile.changed"; readonly tenantId: string }
  | { readonly topic: "permission_map.changed"; readonly tenantId: string }
  | { readonly topic: "role.changed"; readonly tenantId: string }
  | { readonly topic: "tenant.changed"; readonly tenantId: string }
  | { readonly topic: "kill_switch.changed"; readonly tenantId: string }
  | { readonly topic: "limits.changed"; readonly tenantId: string }
  /** A client of the sessions era answered what another process asked it; sealed. */
  | { readonly topic: "client.answered"; readonly ask: string; readonly owner: string; readonly answer: string }
  | { readonly topic: "session.changed"; readonly sessionId: string }
  /** A client of the sessions era ended its session at the agents' door. */
  | { readonly topic: "agent_session.ended"; readonly tenantId: string; readonly session: string }
  /** Such a client said what holds for all that follows; `value` is null where something holds no longer. */
  | {
      readonly topic: "agent_session.noted";
      readonly owner: string;
      readonly field: string;
      readonly value: string | null;
    }
  /** A stream of such a session was opened at this moment of Redis's clock, or has ended; the session is named by its digest. */
  | {
      readonly topic: "agent_session.streamed";
      readonly session: string;
      readonly openedAt: number;
      readonly isOpen: boolean;
    }
  /** Such a client no longer wants a call that another process runs; named by its key, session and id. */
  | { readonly topic: "call.cancelled"; readonly call: string }
  /** Between the process that holds a call for its client and the one that the client came back to; sealed. */
  | { readonly topic: "held_call.asked"; readonly call: string; readonly sealed: string }
  | { readonly topic: "held_call.told"; readonly turn: string; readonly sealed: string }
  | { readonly topic: "entry.appended"; readonly tenantId: string; readonly seq: number };

type Listener = (message: BusMessage) => void;

export type Bus = {
  readonly publish: (message: BusMessage) => void;
  /** Returns the function that unsubscribes. */
  readonly subscribe: (listener: Listener) => () => void;
  /** Adds a carrier to other processes; messages that come from it go to `deliver`. */
  readonly relay: (send: Listener) => void;
  readonly deliver: Listener;
};

function makeBus(): Bus {
  const listeners = new Set<Listener>();
  let send: Listener | null = null;
  const deliver: Listener = (message) => {
    for (const listener of listeners) {
      try {
        listener(message);
      } catch (cause) {
        // Whoever announces something is not to suffer from one who hears of it, nor are the others.
        logger.error({ err: cause, topic: message.topic }, "a listener of the bus failed");
      }
    }
  };
  return {
    publish(message) {
      deliver(message);
      // Entries are followed by each process on its own; sending each one to all would cost more than the calls.
      if (message.topic !== "entry.appended") send?.(message);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    relay(carrier) {
      send = carrier;
    },
    deliver,
  };
}

export const bus: Bus = singleton("bus", makeBus);
