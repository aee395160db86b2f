"use client";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useRef } from "react";
import { Checkbox } from "@/components/ui/checkbox";
import { MapRowView } from "./map-row-view";
import type { MapRow } from "./map-rows";

export type MapListProps = {
  readonly rows: readonly MapRow[];
  readonly list: string;
  readonly canEdit: boolean;
  readonly selected: ReadonlySet<string>;
  readonly onSelect: (keys: readonly string[], on: boolean) => void;
  readonly onChange: (row: MapRow, permission: string | null) => void;
};

/** The map's tools, only those in sight drawn. */
export function MapList({ rows, list, canEdit, selected, onSelect, onChange }: MapListProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => 48,
    overscan: 10,
    getItemKey: (index) => rows[index]?.key ?? index,
  });
  const chosen = rows.filter((row) => selected.has(row.key)).length;
  const all = chosen === 0 ? false : chosen === rows.length ? true : "indeterminate";
  return (
    <div className="rounded-md border border-line">
      <div className="flex h-9 items-center gap-2 rounded-t-md border-b border-line bg-surface px-2 text-xs text-muted">
        {canEdit ? (
          <Checkbox
            aria-label="Select all shown tools"
            checked={all}
            onCheckedChange={(on) =>
              onSelect(
                rows.map((row) => row.key),
                on === true,
              )
            }
          />
        ) : null}
        <span className="flex-1">Tool</span>
        <span className="w-72 max-sm:hidden">Needs the permission</span>
      </div>
      <section
        ref={scroller}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
        tabIndex={0}
        aria-label="Tools and the permissions they need"
        className="max-h-[max(320px,calc(100dvh-410px))] overflow-auto focus-visible:-outline-offset-2"
      >
        <ul className="relative" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map((item) => {
            const row = rows[item.index];
            return row ? (
              <li
                key={item.key}
                ref={virtual.measureElement}
                data-index={item.index}
                className="absolute inset-x-0 top-0 border-b border-line"
                style={{ transform: `translateY(${item.start}px)` }}
              >
                <MapRowView
                  row={row}
                  list={list}
                  canEdit={canEdit}
                  selected={selected.has(row.key)}
                  onSelect={(on) => onSelect([row.key], on)}
                  onChange={(permission) => onChange(row, permission)}
                />
              </li>
            ) : null;
          })}
        </ul>
      </section>
    </div>
  );
}
