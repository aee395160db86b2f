"use client";
import { ToggleGroup } from "radix-ui";
import { RANGE_WORDS, RANGES } from "@/components/overview/overview-params";
import type { OverviewRange } from "@/lib/metrics/schemas";

type Props = { readonly value: OverviewRange; readonly onChange: (range: OverviewRange) => void };

export function RangeSelect({ value, onChange }: Props) {
  return (
    <ToggleGroup.Root
      type="single"
      value={value}
      aria-label="Time window"
      onValueChange={(next) => {
        const range = RANGES.find((known) => known === next);
        if (range !== undefined) onChange(range);
      }}
      className="inline-flex rounded-md border border-line p-0.5"
    >
      {RANGES.map((range) => (
        <ToggleGroup.Item
          key={range}
          value={range}
          aria-label={`Last ${RANGE_WORDS[range]}`}
          className="h-7 min-w-8 rounded-sm px-2 text-sm text-muted tabular-nums hover:bg-hover hover:text-text data-[state=on]:bg-accent-soft data-[state=on]:font-medium data-[state=on]:text-accent-text"
        >
          {range}
        </ToggleGroup.Item>
      ))}
    </ToggleGroup.Root>
  );
}
