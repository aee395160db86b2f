"use client";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import { PermissionInput } from "./permission-input";

/** One permission for all selected tools. */
export function MapBulkBar({
  count,
  list,
  onApply,
  onClear,
}: {
  readonly count: number;
  readonly list: string;
  readonly onApply: (permission: string | null | "suggested") => void;
  readonly onClear: () => void;
}) {
  const [permission, setPermission] = useState<string | null>(null);
  if (count === 0) return null;
  return (
    <div
      role="toolbar"
      aria-label="Selected tools"
      className="flex flex-wrap items-center gap-2 rounded-md bg-accent-soft px-3 py-2 text-sm"
    >
      <span className="font-medium">{count} selected</span>
      <PermissionInput
        label="Permission for the selected tools"
        value={permission}
        list={list}
        onCommit={setPermission}
        className="w-56"
      />
      <Button disabled={permission === null} onClick={() => onApply(permission)}>
        Set
      </Button>
      <Button onClick={() => onApply("suggested")}>Use suggestions</Button>
      <Button onClick={() => onApply(null)}>Unmap</Button>
      <Button variant="ghost" onClick={onClear}>
        Clear selection
      </Button>
    </div>
  );
}
