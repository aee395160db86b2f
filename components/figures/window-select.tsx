"use client";
import { CalendarRange } from "lucide-react";
import { ToggleGroup } from "radix-ui";
import { type SubmitEvent, useState } from "react";
import { isoToUtcInput, utcInputToIso } from "@/components/audit/audit-params";
import { WINDOW_OPTIONS } from "@/components/figures/figure-params";
import { Button } from "@/components/ui/button";
import { cn } from "@/components/ui/cn";
import { Field } from "@/components/ui/field";
import { formatUtc } from "@/components/ui/format";
import { Input } from "@/components/ui/input";
import { Popover } from "@/components/ui/popover";
import type { MetricsWindow } from "@/lib/client/metrics";

type Bounds = { readonly from: string; readonly to: string };
type Props = {
  readonly window: MetricsWindow;
  /** The bounds that are shown now; what the inputs begin with. */
  readonly shown: Bounds | undefined;
  readonly onChange: (window: MetricsWindow) => void;
};

const short = (iso: string): string => formatUtc(iso).replace(/:\d\d UTC$/, "");

/** The same as drawing a range over a chart, with the keyboard. */
function BoundsForm({
  shown,
  onApply,
}: {
  readonly shown: Bounds | undefined;
  readonly onApply: (to: Bounds) => void;
}) {
  const [from, setFrom] = useState(isoToUtcInput(shown?.from ?? null));
  const [to, setTo] = useState(isoToUtcInput(shown?.to ?? null));
  const [asked, setAsked] = useState(false);
  const [start, end] = [utcInputToIso(from), utcInputToIso(to)];
  const wrong = start !== null && end !== null && start >= end;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    setAsked(true);
    if (start !== null && end !== null && !wrong) onApply({ from: start, to: end });
  };
  const error = (value: string | null) => (asked && value === null ? "Say a day and a time." : undefined);
  return (
    <form className="flex w-64 flex-col gap-3" onSubmit={submit} noValidate>
      <Field label="From, UTC" error={error(start)}>
        <Input type="datetime-local" value={from} onChange={(event) => setFrom(event.target.value)} />
      </Field>
      <Field label="Until, UTC" error={error(end) ?? (asked && wrong ? "Must be after the beginning." : undefined)}>
        <Input type="datetime-local" value={to} onChange={(event) => setTo(event.target.value)} />
      </Field>
      <Button type="submit" variant="primary">
        Show this time
      </Button>
    </form>
  );
}

/** Which time the figures are of: back from now, which goes on with it, or bounds, which stay. */
export function WindowSelect({ window, shown, onChange }: Props) {
  const [open, setOpen] = useState(false);
  const relative = typeof window === "string" ? window : null;
  return (
    <div className="flex flex-wrap items-center gap-2">
      <ToggleGroup.Root
        type="single"
        value={relative ?? ""}
        aria-label="Time window"
        onValueChange={(next) => {
          const option = WINDOW_OPTIONS.find(({ value }) => value === next);
          if (option !== undefined) onChange(option.value);
        }}
        className="inline-flex rounded-md border border-line p-0.5"
      >
        {WINDOW_OPTIONS.map(({ value, words }) => (
          <ToggleGroup.Item
            key={value}
            value={value}
            aria-label={`Last ${words}`}
            className="h-7 min-w-8 rounded-sm px-2 text-sm text-muted tabular-nums hover:bg-hover hover:text-text data-[state=on]:bg-accent-soft data-[state=on]:font-medium data-[state=on]:text-accent-text"
          >
            {value}
          </ToggleGroup.Item>
        ))}
      </ToggleGroup.Root>
      <Popover
        open={open}
        onOpenChange={setOpen}
        align="end"
        label="Choose a time"
        trigger={
          <Button className={cn("tabular-nums", relative === null && "bg-accent-soft text-accent-text")}>
            <CalendarRange aria-hidden />
            {relative === null && shown ? `${short(shown.from)} – ${short(shown.to)} UTC` : "From – until"}
          </Button>
        }
      >
        <BoundsForm
          shown={shown}
          onApply={(bounds) => {
            setOpen(false);
            onChange(bounds);
          }}
        />
      </Popover>
    </div>
  );
}
