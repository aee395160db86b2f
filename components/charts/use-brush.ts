"use client";
import { useRouter } from "next/navigation";
import { type MouseEvent, type PointerEvent, useRef, useState } from "react";
import type { ChartPoint, Timeline } from "@/components/charts/series";
import { bucketAt, rangeOf, type Stretch } from "@/components/charts/time-axis";

/** A hand that shakes is no drag. */
const DRAG_PX = 5;

/** Where a press began, and the buckets from there to where it is now; `to` is null until it became a drag. */
type Press = { readonly x: number; readonly from: number; readonly to: number | null };
type BrushProps = { readonly points: readonly ChartPoint[]; readonly bucketMs: number; readonly timeline: Timeline };

/**
 * Drawing a stretch with the mouse asks for that range; a click without drawing opens what lies behind the bucket. Fingers
 * scroll and look instead: the window's own inputs and the table's links do the same for them and for the keyboard.
 */
export function useBrush({ points, bucketMs, timeline }: BrushProps) {
  const router = useRouter();
  const press = useRef<Press | null>(null);
  const [selection, setSelection] = useState<Stretch | null>(null);
  const indexOf = (event: MouseEvent<HTMLElement>): number => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    return bucketAt(event.clientX - left, width, points.length);
  };
  const end = () => {
    press.current = null;
    setSelection(null);
  };
  return {
    selection,
    handlers: {
      onPointerDown: (event: PointerEvent<HTMLElement>) => {
        const plain = event.pointerType === "mouse" && event.button === 0;
        press.current = plain ? { x: event.clientX, from: indexOf(event), to: null } : null;
      },
      // The press is the brush's: it selects no text and leaves the keyboard's focus where it is.
      onMouseDown: (event: MouseEvent<HTMLElement>) => event.preventDefault(),
      onPointerMove: (event: PointerEvent<HTMLElement>) => {
        const began = press.current;
        if (began === null || timeline.onRange === undefined) return;
        if (began.to === null && Math.abs(event.clientX - began.x) < DRAG_PX) return;
        if (began.to === null) event.currentTarget.setPointerCapture(event.pointerId);
        const to = indexOf(event);
        press.current = { ...began, to };
        setSelection(between(began.from, to, points.length));
      },
      onPointerUp: () => {
        const began = press.current;
        if (began === null || began.to === null) return;
        const range = rangeOf(points, bucketMs, began.from, began.to);
        end();
        if (range !== null) timeline.onRange?.(range.fromMs, range.toMs);
      },
      onPointerCancel: end,
      onClick: (event: MouseEvent<HTMLElement>) => {
        // Nothing is pressed any more where the press became a drag, or never was a mouse's.
        const point = press.current === null ? undefined : points[indexOf(event)];
        end();
        if (point === undefined) return;
        const key = event.target instanceof Element ? seriesUnder(event.target) : null;
        const href = timeline.hrefOf?.(point, key) ?? timeline.hrefOf?.(point, null);
        if (href) router.push(href);
      },
    },
  };
}

const between = (one: number, other: number, count: number): Stretch => ({
  start: Math.min(one, other) / count,
  end: (Math.max(one, other) + 1) / count,
});

export const seriesClass = (key: string): string => `series-${key}`;

/** The layer of a bar that was hit. */
function seriesUnder(target: Element): string | null {
  const classes = target.closest("[class*='series-']")?.getAttribute("class") ?? "";
  return /(?:^|\s)series-(\S+)/.exec(classes)?.[1] ?? null;
}
