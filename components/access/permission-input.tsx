"use client";
import { useState } from "react";
import { cn } from "@/components/ui/cn";
import { Input } from "@/components/ui/input";
import { isPermission, UNMAPPED_PERMISSION } from "@/lib/core/permission";

export type PermissionInputProps = {
  /** null = unmapped. */
  readonly value: string | null;
  readonly onCommit: (permission: string | null) => void;
  readonly label: string;
  /** The id of a <datalist> with known permissions. */
  readonly list: string;
  readonly disabled?: boolean;
  readonly className?: string | undefined;
};

/** A permission typed in place: Enter or leaving the field commits, Escape takes it back, empty means unmapped. */
export function PermissionInput({ value, onCommit, label, list, disabled, className }: PermissionInputProps) {
  const [text, setText] = useState<string | null>(null);
  const shown = text ?? value ?? "";
  const wrong = text !== null && text.trim() !== "" && !isPermission(text.trim());
  const commit = () => {
    if (text === null || wrong) return;
    const next = text.trim() === "" ? null : text.trim();
    setText(null);
    if (next !== value) onCommit(next);
  };
  return (
    <Input
      aria-label={label}
      aria-invalid={wrong || undefined}
      title={wrong ? "Must look like namespace:action, for example files:read" : undefined}
      list={list}
      value={shown}
      placeholder={`${UNMAPPED_PERMISSION} (unmapped)`}
      disabled={disabled}
      autoComplete="off"
      spellCheck={false}
      onChange={(event) => setText(event.target.value)}
      onBlur={commit}
      onKeyDown={(event) => {
        if (event.key === "Enter") {
          event.preventDefault();
          commit();
        }
        if (event.key === "Escape") setText(null);
      }}
      className={cn(
        "h-7 font-mono text-xs",
        value === null && text === null && "border-warn placeholder:text-warn",
        className,
      )}
    />
  );
}

export function PermissionList({ id, permissions }: { readonly id: string; readonly permissions: readonly string[] }) {
  return (
    <datalist id={id}>
      {permissions.map((permission) => (
        <option key={permission} value={permission} />
      ))}
    </datalist>
  );
}
