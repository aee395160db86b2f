import { CircleAlert, Info } from "lucide-react";
import type { ReactNode } from "react";
import { cn } from "@/components/ui/cn";

/** A remark beside the thing it is about. */
export function Note({
  tone = "info",
  children,
  className,
}: {
  readonly tone?: "info" | "warn";
  readonly children: ReactNode;
  readonly className?: string;
}) {
  const Glyph = tone === "warn" ? CircleAlert : Info;
  return (
    <div
      className={cn(
        "flex items-start gap-2 rounded-md px-3 py-2 text-sm",
        tone === "warn" ? "bg-warn-soft text-warn" : "bg-info-soft text-info",
        className,
      )}
    >
      <Glyph aria-hidden className="mt-0.5 size-4 shrink-0" />
      <div className="min-w-0 wrap-anywhere">{children}</div>
    </div>
  );
}
