"use client";
import { BookOpen, TriangleAlert, Undo2, WandSparkles } from "lucide-react";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Checkbox } from "@/components/ui/checkbox";
import { cn } from "@/components/ui/cn";
import { UNMAPPED_PERMISSION } from "@/lib/core/permission";
import type { MapRow } from "./map-rows";
import { PermissionInput } from "./permission-input";

/** One tool of the map, edited in place. */
export function MapRowView({
  row,
  list,
  canEdit,
  selected,
  onSelect,
  onChange,
}: {
  readonly row: MapRow;
  readonly list: string;
  readonly canEdit: boolean;
  readonly selected: boolean;
  readonly onSelect: (on: boolean) => void;
  readonly onChange: (permission: string | null) => void;
}) {
  const staged = row.drafted !== row.permission;
  return (
    <div className={cn("flex min-h-11 flex-wrap items-center gap-x-2 gap-y-1 px-2 py-1.5", staged && "bg-accent-soft")}>
      {canEdit ? (
        <Checkbox aria-label={`Select ${row.key}`} checked={selected} onCheckedChange={(on) => onSelect(on === true)} />
      ) : null}
      <div className="min-w-40 flex-1">
        <p className="flex flex-wrap items-center gap-x-2 gap-y-1 text-sm">
          <span className="min-w-0 break-all">
            <span className="text-muted">{row.server} / </span>
            {row.tool}
          </span>
          {row.readOnly ? (
            <Badge glyph={<BookOpen aria-hidden />} title="The server says it only reads">
              reads
            </Badge>
          ) : null}
          {row.destructive ? (
            <Badge tone="warn" glyph={<TriangleAlert aria-hidden />} title="The server says it may destroy">
              destructive
            </Badge>
          ) : null}
        </p>
        {row.description ? (
          <p className="line-clamp-1 text-xs text-muted" title={row.description}>
            {row.description}
          </p>
        ) : null}
      </div>
      <div className="flex w-72 items-center gap-1 max-sm:w-full max-sm:pl-8">
        {canEdit ? (
          <>
            <PermissionInput
              label={`Permission for ${row.key}`}
              value={row.drafted}
              list={list}
              onCommit={onChange}
              className="flex-1"
            />
            {staged ? (
              <Button
                size="icon-sm"
                variant="ghost"
                aria-label={`Undo the change of ${row.key}`}
                title={`Undo: back to ${row.permission ?? "unmapped"}`}
                onClick={() => onChange(row.permission)}
              >
                <Undo2 aria-hidden />
              </Button>
            ) : row.drafted === null ? (
              <Button
                size="icon-sm"
                variant="ghost"
                aria-label={`Map ${row.key} to ${row.suggestedPermission}`}
                title={`Use the suggestion ${row.suggestedPermission}`}
                onClick={() => onChange(row.suggestedPermission)}
              >
                <WandSparkles aria-hidden />
              </Button>
            ) : null}
          </>
        ) : (
          <code className={cn("font-mono text-xs", row.drafted === null && "text-warn")}>
            {row.drafted ?? `${UNMAPPED_PERMISSION} (unmapped)`}
          </code>
        )}
      </div>
    </div>
  );
}
