"use client";
import type { KeyboardEvent } from "react";

const ROW = "[data-row]";

/** ↑ ↓ Home End move the focus over the `[data-row]` elements inside; the rows themselves handle Enter. */
export function moveRowFocus(event: KeyboardEvent<HTMLElement>): void {
  if (!["ArrowDown", "ArrowUp", "Home", "End"].includes(event.key)) return;
  const rows = [...event.currentTarget.querySelectorAll<HTMLElement>(ROW)];
  const current = rows.findIndex((row) => row === document.activeElement || row.contains(document.activeElement));
  const last = rows.length - 1;
  const target =
    event.key === "Home"
      ? 0
      : event.key === "End"
        ? last
        : event.key === "ArrowDown"
          ? Math.min(current + 1, last)
          : Math.max(current - 1, 0);
  const row = rows[target];
  if (row === undefined) return;
  event.preventDefault();
  row.focus();
}
