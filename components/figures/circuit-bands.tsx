import type { ChartPoint, Timeline } from "@/components/charts/series";
import { StateBands } from "@/components/charts/state-bands";
import { CIRCUIT_STATES, circuitSummary } from "@/components/figures/circuit-words";
import type { FigureSubject } from "@/components/figures/trail-links";
import type { useFigureWindow } from "@/components/figures/use-figure-window";
import type { CircuitsView, CircuitTimeline } from "@/lib/metrics/schemas";

type Props = {
  readonly subject: FigureSubject;
  readonly circuits: CircuitsView | undefined;
  readonly points: readonly ChartPoint[];
  readonly bucketMs: number;
  readonly timeline: Timeline;
  readonly syncId: string;
  readonly page: Pick<ReturnType<typeof useFigureWindow>, "tableOf">;
};

/** The server's own circuit, and those of its tools; on a tool's page only the tool's besides the server's. */
function shownOf({ server, tool }: FigureSubject, circuits: readonly CircuitTimeline[]): readonly CircuitTimeline[] {
  const own = circuits.filter((circuit) => circuit.server === server);
  return own
    .filter((circuit) => circuit.tool === null || tool === undefined || circuit.tool === tool)
    .toSorted((a, b) => (a.tool ?? "").localeCompare(b.tool ?? ""));
}

/** What state circuits were in, under the latency and on its axis. Takes its room before the answer came. */
export function CircuitBands({ subject, circuits, page, ...drawing }: Props) {
  if (circuits === undefined) return <div aria-hidden className="h-[54px]" />;
  return shownOf(subject, circuits.circuits).map((circuit) => {
    const name = circuit.tool === null ? "Circuit" : `Circuit of ${circuit.tool}`;
    return (
      <StateBands
        key={circuit.tool ?? ""}
        title={name}
        states={CIRCUIT_STATES}
        bands={circuit.bands}
        note={circuitSummary(circuit)}
        fileName={subject.server}
        {...drawing}
        {...page.tableOf(`circuit-${circuit.tool ?? ""}`)}
      />
    );
  });
}
