import { type ChartPoint, emptyWords, NO_TRAFFIC } from "@/components/charts/series";
import { type EmptyStretch, PLOT, type PlacedMark, type Stretch } from "@/components/charts/time-axis";
import { cn } from "@/components/ui/cn";

export const share = (part: number): string => `${part * 100}%`;

/** The plot's own rectangle within a chart. */
export const plotArea = (bottom: number) => ({ left: PLOT.left, right: PLOT.right, top: PLOT.top, bottom });

const HATCH =
  "repeating-linear-gradient(135deg, color-mix(in srgb, var(--edge) 32%, transparent) 0 1px, transparent 1px 7px)";

/** Silence is hatched; where nothing can be known, or nothing came through, is grey. */
const emptyStyle = (words: string) =>
  words === NO_TRAFFIC ? { backgroundImage: HATCH } : { backgroundColor: "var(--hover)" };

/** Behind the lines: where there was no traffic, which is not the same as being well. */
export function EmptyLayer({ stretches, bottom }: { readonly stretches: readonly EmptyStretch[]; bottom: number }) {
  return (
    <div aria-hidden className="pointer-events-none absolute" style={plotArea(bottom)}>
      {stretches.map(({ start, end, words }) => (
        <span
          key={start}
          className="@container absolute inset-y-0 overflow-hidden text-center"
          style={{ left: share(start), width: share(end - start), ...emptyStyle(words) }}
        >
          <span className="relative top-[33%] hidden rounded-sm bg-page px-1 text-xs text-muted whitespace-nowrap @min-[72px]:inline">
            {words}
          </span>
        </span>
      ))}
    </div>
  );
}

/** The same in the legend. */
export function EmptyLegend({ points }: { readonly points: readonly ChartPoint[] }) {
  const words = new Set(points.map(emptyWords).filter((word) => word !== null));
  return [...words].map((word) => (
    <li key={word} className="flex items-center gap-1.5">
      <span aria-hidden className="h-2.5 w-4 rounded-[1px] border border-line" style={emptyStyle(word)} />
      {word}
    </li>
  ));
}

type OverProps = {
  readonly marks: readonly PlacedMark[];
  readonly selection: Stretch | null;
  readonly bottom: number;
  /** Flags are drawn once; charts below only repeat the line. */
  readonly flags: boolean;
};

/** Before the lines: what happened, and the stretch that is being drawn. */
export function OverLayer({ marks, selection, bottom, flags }: OverProps) {
  return (
    <div aria-hidden className="pointer-events-none absolute isolate" style={plotArea(bottom)}>
      {selection === null ? null : (
        <span
          className="absolute inset-y-0 border-x border-accent-text bg-accent-text/15"
          style={{ left: share(selection.start), width: share(selection.end - selection.start) }}
        />
      )}
      {marks.map(({ number, position, flag, title }) => (
        <span
          key={number}
          className="absolute inset-y-0 border-l border-dashed border-edge"
          style={{ left: share(position) }}
        >
          {flags && flag !== null ? (
            <span
              title={title}
              className={cn(
                "pointer-events-auto absolute top-0 z-1 rounded-sm border border-edge bg-raised px-1 text-xs leading-4 whitespace-nowrap tabular-nums text-text",
                position > 0.9 ? "right-0" : "left-0",
              )}
            >
              {flag}
            </span>
          ) : null}
        </span>
      ))}
    </div>
  );
}
