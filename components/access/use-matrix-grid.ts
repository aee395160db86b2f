"use client";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, type MouseEvent, useId, useRef, useState } from "react";
import { type GridPosition, moveFocus } from "./grid-keys";

export const ROW_PX = 32;
export const HEAD_PX = 48;
export const COLUMN_PX = 136;

type Act = (at: GridPosition, rangeFrom: GridPosition | null) => void;

/** Virtual rows and columns, the active cell, and the keys and clicks that move and use it. */
export function useMatrixGrid(rowCount: number, roleCount: number, firstPx: number, act: Act) {
  const id = useId();
  const scroller = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState<GridPosition>({ row: 0, column: 1 });
  const getScrollElement = () => scroller.current;
  const rows = useVirtualizer({
    count: rowCount,
    getScrollElement,
    estimateSize: () => ROW_PX,
    overscan: 12,
    scrollPaddingStart: HEAD_PX,
  });
  const columns = useVirtualizer({
    horizontal: true,
    count: roleCount,
    getScrollElement,
    estimateSize: () => COLUMN_PX,
    overscan: 4,
    scrollPaddingStart: firstPx,
  });

  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    const page = Math.max(1, Math.floor(((scroller.current?.clientHeight ?? 320) - HEAD_PX) / ROW_PX) - 1);
    const size = { rows: rowCount, columns: roleCount + 1, page };
    const next = moveFocus(active, event.key, event.ctrlKey || event.metaKey, size);
    if (next) {
      setActive(next);
      rows.scrollToIndex(next.row);
      if (next.column > 0) columns.scrollToIndex(next.column - 1);
    } else if (event.key === "Enter" || event.key === " ") act(active, null);
    else return;
    event.preventDefault();
  };
  const onClick = (event: MouseEvent<HTMLDivElement>) => {
    const target = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-row-index]") : null;
    if (!target) return;
    const at = { row: Number(target.dataset["rowIndex"]), column: Number(target.dataset["column"]) };
    setActive(at);
    act(at, event.shiftKey && active.column === at.column ? active : null);
  };
  const cellId = (at: GridPosition) => `${id}-${at.row}-${at.column}`;
  return { scroller, rows, columns, active, onKeyDown, onClick, cellId };
}
