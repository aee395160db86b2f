import { ArrowRight, Minus, Plus } from "lucide-react";
import { UNMAPPED_PERMISSION } from "@/lib/core/permission";
import type { GrantChange, Impact } from "./access-draft";

export type MapDiff = { readonly key: string; readonly before: string | null; readonly after: string | null };

const show = (permission: string | null): string => permission ?? `${UNMAPPED_PERMISSION} (unmapped)`;

/** What will change, line by line, and whom it touches. */
export function DraftDiff({
  map,
  grants,
  impact,
}: {
  readonly map: readonly MapDiff[];
  readonly grants: readonly GrantChange[];
  readonly impact: readonly Impact[];
}) {
  return (
    <div className="flex flex-col gap-4 text-sm">
      {map.length > 0 ? (
        <div>
          <h3 className="mb-1 font-medium">Mappings</h3>
          <MapDiffList map={map} />
        </div>
      ) : null}
      {grants.length > 0 ? (
        <div>
          <h3 className="mb-1 font-medium">Grants</h3>
          <ul className="divide-y divide-line rounded-md border border-line">
            {grants.map((grant) => (
              <li key={`${grant.role} ${grant.permission}`} className="flex items-center gap-2 px-3 py-1.5">
                {grant.granted ? (
                  <Plus aria-hidden className="size-3.5 text-ok" />
                ) : (
                  <Minus aria-hidden className="size-3.5 text-bad" />
                )}
                <span>
                  {grant.role} {grant.granted ? "gets" : "loses"}{" "}
                  <code className="font-mono text-xs">{grant.permission}</code>
                </span>
              </li>
            ))}
          </ul>
        </div>
      ) : null}
      <div>
        <h3 className="mb-1 font-medium">Effect</h3>
        {impact.length === 0 ? (
          <p className="text-muted">No role can call more or fewer tools than before.</p>
        ) : (
          <ul className="flex flex-col gap-1">
            {impact.map((line) => (
              <li key={line.role}>
                <span className="font-medium">{line.role}</span>
                {line.gained.length > 0 ? <span className="text-ok"> can then call {list(line.gained)}</span> : null}
                {line.gained.length > 0 && line.lost.length > 0 ? "; " : null}
                {line.lost.length > 0 ? <span className="text-bad"> can no longer call {list(line.lost)}</span> : null}
              </li>
            ))}
          </ul>
        )}
      </div>
    </div>
  );
}

/** Mappings that differ: what the tool needed and what it needs then. */
export function MapDiffList({ map }: { readonly map: readonly MapDiff[] }) {
  return (
    <ul className="divide-y divide-line rounded-md border border-line">
      {map.map((line) => (
        <li key={line.key} className="flex flex-wrap items-center gap-x-2 px-3 py-1.5">
          <span className="min-w-0 grow basis-48 break-all">{line.key}</span>
          <code className="font-mono text-xs text-bad line-through">{show(line.before)}</code>
          <ArrowRight aria-label="becomes" className="size-3.5 text-muted" />
          <code className="font-mono text-xs text-ok">{show(line.after)}</code>
        </li>
      ))}
    </ul>
  );
}

const SHOWN = 5;
function list(keys: readonly string[]): string {
  const shown = keys.slice(0, SHOWN).join(", ");
  return keys.length > SHOWN ? `${shown} and ${keys.length - SHOWN} more` : shown;
}
