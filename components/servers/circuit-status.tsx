import { Status } from "@/components/ui/status";
import type { CircuitView } from "@/lib/servers/schemas";

/** Glyph and word of a circuit, with what led there in the tooltip. */
export function CircuitStatus({ circuit }: { readonly circuit: CircuitView }) {
  const why = circuit.lastFailure ? `Last failure: ${circuit.lastFailure}` : "No failure since start";
  return (
    <span
      className="inline-flex align-middle"
      title={circuit.openUntil ? `${why}. Tried again at ${circuit.openUntil}` : why}
    >
      <Status state={circuit.kind} />
    </span>
  );
}
