"use client";
import { Switch as Radix } from "radix-ui";
import type { ComponentProps } from "react";
import { cn } from "@/components/ui/cn";

export function Switch({ className, ...rest }: ComponentProps<typeof Radix.Root>) {
  return (
    <Radix.Root
      className={cn(
        "inline-flex h-6 w-10 shrink-0 items-center rounded-full border border-edge bg-hover px-0.5 transition-colors disabled:cursor-not-allowed disabled:opacity-60 data-[state=checked]:border-accent data-[state=checked]:bg-accent",
        className,
      )}
      {...rest}
    >
      <Radix.Thumb className="block size-4.5 rounded-full border border-edge bg-raised transition-transform data-[state=checked]:translate-x-4 data-[state=checked]:border-transparent data-[state=checked]:bg-on-accent" />
    </Radix.Root>
  );
}
