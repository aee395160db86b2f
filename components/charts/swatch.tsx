import { type Fill, fillOf, type Series } from "@/components/charts/series";

/** The inside of an SVG pattern of 6 by 6 for each way to fill. */
function Strokes({ fill, color }: { readonly fill: Fill; readonly color: string }) {
  if (fill === "solid") return <rect width="6" height="6" fill={color} />;
  if (fill === "dots")
    return (
      <>
        <rect width="6" height="6" fill={color} opacity="0.35" />
        <circle cx="3" cy="3" r="1.4" fill={color} />
      </>
    );
  if (fill === "rows")
    return (
      <>
        <rect width="6" height="6" fill={color} opacity="0.35" />
        <path d="M0 3h6" stroke={color} strokeWidth="1.4" />
      </>
    );
  return (
    <>
      <rect width="6" height="6" fill={color} opacity="0.35" />
      <path d="M-1 7 7-1M-1 1 1-1M5 7 7 5" stroke={color} strokeWidth="1.4" />
      {fill === "cross" ? <path d="M-1-1 7 7" stroke={color} strokeWidth="1.4" /> : null}
    </>
  );
}

/** Patterns of areas, one per series; `scope` keeps those of several drawings in one page apart. */
export function FillPatterns({ scope, series }: { readonly scope: string; readonly series: readonly Series[] }) {
  return (
    <defs>
      {series.map((one) => (
        <pattern key={one.key} id={patternId(scope, one)} width="6" height="6" patternUnits="userSpaceOnUse">
          <Strokes fill={fillOf(series, one)} color={one.color} />
        </pattern>
      ))}
    </defs>
  );
}

export const patternId = (scope: string, { key }: Series): string =>
  `fill-${scope}-${key}`.replaceAll(/[^A-Za-z0-9_-]/g, "_");

type SwatchProps = { readonly scope: string; readonly series: readonly Series[]; readonly one: Series };

/** How a series looks in the drawing. */
export function Swatch({ scope, series, one }: SwatchProps) {
  if (one.dash !== undefined)
    return (
      <svg aria-hidden="true" width="20" height="8" className="shrink-0">
        <line x1="0" x2="20" y1="4" y2="4" stroke={one.color} strokeWidth="2" strokeDasharray={one.dash} />
      </svg>
    );
  return (
    <svg aria-hidden="true" width="16" height="10" className="shrink-0">
      <FillPatterns scope={scope} series={series} />
      <rect width="16" height="10" rx="1" fill={`url(#${patternId(scope, one)})`} stroke={one.color} />
    </svg>
  );
}
