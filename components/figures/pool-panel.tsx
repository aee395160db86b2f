import { type Fact, Facts } from "@/components/ui/facts";
import { formatDuration, formatPlural, formatShare } from "@/components/ui/format";
import { Section } from "@/components/ui/section";
import type { PoolFigures } from "@/lib/metrics/schemas";

const calls = (count: number): string => formatPlural(count, "call", "calls");

/** What the process that answered holds, which is one of several where there are several. */
function nowFacts(now: PoolFigures["now"]): readonly Fact[] {
  if (now === null) return [{ name: "Places now", value: "not called by this process since it started" }];
  const { inUse, queued, open, maxConcurrent, maxQueued, created, reused, exhausted, refused } = now;
  return [
    { name: "Places now", value: `${inUse} of ${maxConcurrent} taken, ${queued} of ${maxQueued} waiting` },
    { name: "Connections", value: `${open} open, ${created} opened, reused ${formatPlural(reused, "time", "times")}` },
    { name: "Without a free place", value: `${calls(exhausted)}, ${refused} of them refused` },
  ];
}

function windowFacts({ window }: PoolFigures): readonly Fact[] {
  const { samples, queued, queueMeanMs, overloaded, circuitRefusals, limited, cacheHits, cacheHitRatio } = window;
  return [
    { name: "Waited for a place", value: `${calls(queued)}, ${formatDuration(queueMeanMs)} on average over all` },
    { name: "Refused for want of a place", value: calls(overloaded) },
    { name: "Refused by the circuit", value: calls(circuitRefusals) },
    { name: "Refused by a limit", value: calls(limited) },
    { name: "Kept answers", value: `${calls(cacheHits)} of ${samples} (${formatShare(cacheHitRatio)})` },
  ];
}

/** Places, connections and kept answers of a server. */
export function PoolPanel({ figures }: { readonly figures: PoolFigures | undefined }) {
  if (figures === undefined) return null;
  return (
    <div className="grid gap-6 lg:grid-cols-2">
      <Section title="Places and connections" note="Of the process that answered: now, and since it started.">
        <Facts facts={nowFacts(figures.now)} />
      </Section>
      <Section title="Held back and kept" note="Of all processes, within the time shown.">
        <Facts facts={windowFacts(figures)} />
      </Section>
    </div>
  );
}
