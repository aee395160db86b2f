"use client";
import { Tabs as Radix } from "radix-ui";
import type { ReactNode } from "react";
import { cn } from "@/components/ui/cn";

export type TabItem = { readonly value: string; readonly label: ReactNode; readonly content: ReactNode };
export type TabsProps = {
  readonly value: string;
  readonly onValueChange: (value: string) => void;
  readonly items: readonly TabItem[];
  readonly label: string;
  readonly className?: string | undefined;
};

/** Keep `value` in the URL. */
export function Tabs({ value, onValueChange, items, label, className }: TabsProps) {
  return (
    <Radix.Root value={value} onValueChange={onValueChange} className={cn("flex flex-col gap-4", className)}>
      <Radix.List aria-label={label} className="flex gap-4 overflow-x-auto border-b border-line">
        {items.map((item) => (
          <Radix.Trigger
            key={item.value}
            value={item.value}
            className="-mb-px h-8 shrink-0 border-b-2 border-transparent px-1 text-sm text-muted hover:text-text focus-visible:-outline-offset-2 data-[state=active]:border-accent-text data-[state=active]:font-medium data-[state=active]:text-text"
          >
            {item.label}
          </Radix.Trigger>
        ))}
      </Radix.List>
      {items.map((item) => (
        <Radix.Content key={item.value} value={item.value}>
          {item.content}
        </Radix.Content>
      ))}
    </Radix.Root>
  );
}
