import type { ComponentProps } from "react";
import { cn } from "@/components/ui/cn";

export function Label({ className, ...rest }: ComponentProps<"label">) {
  // biome-ignore lint/a11y/noLabelWithoutControl: the caller gives htmlFor or children
  return <label className={cn("text-sm font-medium text-text", className)} {...rest} />;
}
