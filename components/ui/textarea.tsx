import type { ComponentProps } from "react";
import { cn } from "@/components/ui/cn";
import { fieldClass } from "@/components/ui/input";

export function Textarea({ className, rows = 4, ...rest }: ComponentProps<"textarea">) {
  return <textarea rows={rows} className={cn(fieldClass, "py-1.5", className)} {...rest} />;
}
