import type { KillKind } from "@/lib/kill-switches/schemas";

/** Whom and what a call concerns. `agent` is null for people who try a tool. */
export type Concerned = { readonly agent: string | null; readonly server: string; readonly tool: string };

export type ThrownSwitch = {
  readonly id: string;
  readonly kind: KillKind;
  readonly target: string;
  readonly reason: string;
};

/** The switches in force in one tenant. */
export type KillSet = {
  readonly size: number;
  /** The switch that stops this call, the widest first; null when none does. */
  readonly stops: (call: Concerned) => ThrownSwitch | null;
};

const keyOf = (kind: KillKind, target: string): string => `${kind}:${target}`;

export function makeKillSet(thrown: readonly ThrownSwitch[]): KillSet {
  // A tenant has one switch, whatever its slug.
  const byKey = new Map(thrown.map((each) => [keyOf(each.kind, each.kind === "tenant" ? "" : each.target), each]));
  return {
    size: byKey.size,
    stops({ agent, server, tool }) {
      if (byKey.size === 0) return null;
      return (
        byKey.get("tenant:") ??
        (agent === null ? undefined : byKey.get(keyOf("agent", agent))) ??
        byKey.get(keyOf("server", server)) ??
        byKey.get(keyOf("tool", `${server}/${tool}`)) ??
        null
      );
    },
  };
}
