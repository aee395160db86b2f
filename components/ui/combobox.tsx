"use client";
import { Command } from "cmdk";
import { Check, ChevronsUpDown } from "lucide-react";
import { type ReactNode, useState } from "react";
import { Button } from "@/components/ui/button";
import { cn } from "@/components/ui/cn";
import { Popover } from "@/components/ui/popover";

export type ComboboxOption = {
  readonly value: string;
  /** Searched and shown. */
  readonly label: string;
  readonly hint?: ReactNode;
};

type Common = {
  readonly options: readonly ComboboxOption[];
  readonly placeholder?: string;
  readonly emptyText?: string;
  readonly label: string;
  readonly className?: string | undefined;
  readonly id?: string | undefined;
  readonly "aria-describedby"?: string | undefined;
  readonly "aria-invalid"?: boolean | undefined;
  readonly disabled?: boolean | undefined;
};
export type ComboboxProps = Common & {
  readonly values: readonly string[];
  readonly onValuesChange: (values: readonly string[]) => void;
  /** More than one may be chosen; the list then stays open. */
  readonly multiple?: boolean;
};

const optionClass =
  "flex min-h-8 cursor-default items-center gap-2 rounded-sm px-2 text-sm data-[selected=true]:bg-hover";

/** Choose one or several of many by typing. */
export function Combobox(props: ComboboxProps) {
  const {
    options,
    values,
    onValuesChange,
    multiple,
    placeholder = "Choose",
    emptyText = "Nothing matches.",
    label,
  } = props;
  const [open, setOpen] = useState(false);
  const chosen = options.filter((option) => values.includes(option.value));
  const pick = (value: string) => {
    const has = values.includes(value);
    if (multiple) onValuesChange(has ? values.filter((other) => other !== value) : [...values, value]);
    else {
      onValuesChange([value]);
      setOpen(false);
    }
  };
  const text = chosen.length === 0 ? placeholder : chosen.map((option) => option.label).join(", ");
  return (
    <Popover
      open={open}
      onOpenChange={setOpen}
      label={label}
      className="w-72 p-0"
      trigger={
        <Button
          role="combobox"
          aria-expanded={open}
          aria-label={`${label}: ${text}`}
          id={props.id}
          disabled={props.disabled}
          aria-describedby={props["aria-describedby"]}
          aria-invalid={props["aria-invalid"]}
          className={cn("w-full justify-between border-edge font-normal", props.className)}
        >
          <span className={cn("truncate", chosen.length === 0 && "text-muted")}>{text}</span>
          <ChevronsUpDown aria-hidden className="text-muted" />
        </Button>
      }
    >
      <Command label={label}>
        <Command.Input
          placeholder="Type to search"
          className="h-9 w-full border-b border-line bg-transparent px-3 text-sm outline-none placeholder:text-muted"
        />
        <Command.List className="max-h-72 overflow-y-auto p-1">
          <Command.Empty className="px-2 py-3 text-sm text-muted">{emptyText}</Command.Empty>
          {options.map((option) => (
            <Command.Item
              key={option.value}
              value={option.value}
              keywords={[option.label]}
              onSelect={() => pick(option.value)}
              className={optionClass}
            >
              <Check aria-hidden className={cn("size-4 shrink-0", !values.includes(option.value) && "invisible")} />
              <span className="min-w-0 flex-1 truncate">{option.label}</span>
              {option.hint ? <span className="text-xs text-muted">{option.hint}</span> : null}
              {values.includes(option.value) ? <span className="sr-only">chosen</span> : null}
            </Command.Item>
          ))}
        </Command.List>
      </Command>
    </Popover>
  );
}
