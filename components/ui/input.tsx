import type { ComponentProps } from "react";
import { cn } from "@/components/ui/cn";

/** Shared by everything one types into. */
export const fieldClass =
  "w-full rounded-md border border-edge bg-raised px-2 text-base text-text placeholder:text-muted disabled:cursor-not-allowed disabled:opacity-60 aria-invalid:border-bad";

export function Input({ className, type = "text", ...rest }: ComponentProps<"input">) {
  return <input type={type} className={cn(fieldClass, "h-8", className)} {...rest} />;
}
