"use client";
import { Check, ChevronDown } from "lucide-react";
import { Select as Radix } from "radix-ui";
import type { ReactNode } from "react";
import { cn } from "@/components/ui/cn";
import { fieldClass } from "@/components/ui/input";

export type SelectOption = { readonly value: string; readonly label: ReactNode; readonly disabled?: boolean };

export type SelectProps = {
  readonly value: string;
  readonly onValueChange: (value: string) => void;
  readonly options: readonly SelectOption[];
  readonly placeholder?: string | undefined;
  readonly disabled?: boolean | undefined;
  readonly className?: string | undefined;
  readonly id?: string | undefined;
  readonly name?: string | undefined;
  readonly "aria-label"?: string | undefined;
  readonly "aria-describedby"?: string | undefined;
  readonly "aria-invalid"?: boolean | undefined;
};

/** Radix keeps the empty text for itself, so an option with value "" travels under this name. */
const EMPTY = "__empty__";

/** One of a few. For many, use Combobox. An option may have the value "". */
export function Select({
  value,
  onValueChange,
  options,
  placeholder,
  disabled,
  className,
  name,
  ...trigger
}: SelectProps) {
  const hasEmpty = options.some((option) => option.value === "");
  return (
    <Radix.Root
      value={value === "" && hasEmpty ? EMPTY : value}
      onValueChange={(next) => onValueChange(next === EMPTY ? "" : next)}
      disabled={disabled === true}
      {...(name === undefined ? {} : { name })}
    >
      <Radix.Trigger
        className={cn(fieldClass, "inline-flex h-8 items-center justify-between gap-2 text-left", className)}
        {...trigger}
      >
        <span className="truncate">
          <Radix.Value placeholder={placeholder} />
        </span>
        <ChevronDown aria-hidden className="size-4 shrink-0 text-muted" />
      </Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          position="popper"
          sideOffset={4}
          className="z-50 max-h-80 min-w-(--radix-select-trigger-width) overflow-hidden rounded-md border border-line bg-raised p-1 text-text shadow-lg"
        >
          <Radix.Viewport>
            {options.map((option) => (
              <Radix.Item
                key={option.value}
                value={option.value === "" ? EMPTY : option.value}
                disabled={option.disabled === true}
                className="flex h-8 cursor-default items-center justify-between gap-3 rounded-sm px-2 text-sm outline-none data-disabled:opacity-60 data-highlighted:bg-hover"
              >
                <Radix.ItemText>{option.label}</Radix.ItemText>
                <Radix.ItemIndicator>
                  <Check aria-hidden className="size-4" />
                </Radix.ItemIndicator>
              </Radix.Item>
            ))}
          </Radix.Viewport>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
