"use client";
import { Check, Copy } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import { toast } from "@/components/ui/toast";

export type CopyButtonProps = {
  /** The text, or how to get it when it is asked for. */
  readonly value: string | (() => string);
  /** What is copied: "Copy key". Read aloud; shown when `withText`. */
  readonly label?: string;
  readonly withText?: boolean;
  readonly className?: string | undefined;
};

export function CopyButton({ value, label = "Copy", withText, className }: CopyButtonProps) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(typeof value === "string" ? value : value());
      setCopied(true);
      setTimeout(() => setCopied(false), 1500);
    } catch {
      toast.error("The browser did not allow copying. Select the text and copy it by hand.");
    }
  };
  const icon = copied ? <Check aria-hidden className="text-ok" /> : <Copy aria-hidden />;
  return (
    <Button
      variant={withText ? "secondary" : "ghost"}
      size={withText ? "md" : "icon-sm"}
      className={className}
      onClick={copy}
      {...(withText ? {} : { "aria-label": copied ? "Copied" : label, title: label })}
    >
      {icon}
      {withText ? <span aria-live="polite">{copied ? "Copied" : label}</span> : null}
    </Button>
  );
}
