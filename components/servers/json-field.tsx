"use client";
import { useState } from "react";
import { cn } from "@/components/ui/cn";
import { Textarea } from "@/components/ui/textarea";

export type JsonFieldProps = {
  readonly value: unknown;
  readonly onChange: (value: unknown) => void;
  readonly rows?: number;
  readonly id?: string;
  readonly "aria-describedby"?: string;
  readonly "aria-invalid"?: boolean;
};

/** Any JSON value as text; what does not parse stays here and is not handed on. */
export function JsonField({ value, onChange, rows = 3, ...rest }: JsonFieldProps) {
  const [text, setText] = useState<string | null>(null);
  const shown = text ?? (value === undefined ? "" : JSON.stringify(value, null, 2));
  const write = (next: string) => {
    try {
      onChange(next.trim() === "" ? undefined : JSON.parse(next));
      setText(null);
    } catch {
      setText(next);
    }
  };
  return (
    <Textarea
      {...rest}
      rows={rows}
      spellCheck={false}
      className={cn("font-mono text-xs", text !== null && "border-bad")}
      aria-invalid={text !== null || rest["aria-invalid"]}
      title={text === null ? undefined : "Not JSON yet"}
      value={shown}
      onChange={(event) => write(event.target.value)}
    />
  );
}
