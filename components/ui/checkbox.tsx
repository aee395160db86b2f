"use client";
import { Check, Minus } from "lucide-react";
import { Checkbox as Radix } from "radix-ui";
import type { ComponentProps } from "react";
import { cn } from "@/components/ui/cn";

/** A 16 px box on a 24 px target. `checked="indeterminate"` for a group that is partly on. */
export function Checkbox({ className, ...rest }: ComponentProps<typeof Radix.Root>) {
  return (
    <Radix.Root
      className={cn(
        "group inline-flex size-6 shrink-0 items-center justify-center rounded-sm disabled:cursor-not-allowed disabled:opacity-60",
        className,
      )}
      {...rest}
    >
      <span className="flex size-4 items-center justify-center rounded-sm border border-edge bg-raised text-on-accent group-data-[state=checked]:border-accent group-data-[state=checked]:bg-accent group-data-[state=indeterminate]:border-accent group-data-[state=indeterminate]:bg-accent">
        <Radix.Indicator className="group">
          <Check aria-hidden className="hidden size-3 group-data-[state=checked]:block" />
          <Minus aria-hidden className="hidden size-3 group-data-[state=indeterminate]:block" />
        </Radix.Indicator>
      </span>
    </Radix.Root>
  );
}
