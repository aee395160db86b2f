"use client";
import { Plus, X } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import { Input } from "@/components/ui/input";
import { fromRows, type SecretRow, toRows } from "./command-line";

export type SecretRowsProps = {
  readonly value: Readonly<Record<string, string>> | undefined;
  readonly onChange: (value: Record<string, string> | undefined) => void;
  /** "header" or "variable". */
  readonly noun: string;
  readonly namePlaceholder: string;
  /** Secrets are not shown while typed. */
  readonly secret: boolean;
};

/** Names and values: headers or environment variables. */
export function SecretRows({ value, onChange, noun, namePlaceholder, secret }: SecretRowsProps) {
  const [rows, setRows] = useState<readonly SecretRow[]>(() => toRows(value));
  const change = (next: readonly SecretRow[]) => {
    setRows(next);
    onChange(fromRows(next));
  };
  const edit = (at: number, part: Partial<SecretRow>) =>
    change(rows.map((row, index) => (index === at ? { ...row, ...part } : row)));
  return (
    <div className="flex flex-col gap-2">
      {rows.map((row, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: rows have no other identity, and their state lives above
        <div key={index} className="flex gap-2">
          <Input
            aria-label={`Name of ${noun} ${index + 1}`}
            placeholder={namePlaceholder}
            className="font-mono text-xs"
            autoComplete="off"
            spellCheck={false}
            value={row.name}
            onChange={(event) => edit(index, { name: event.target.value })}
          />
          <Input
            aria-label={`Value of ${noun} ${index + 1}`}
            type={secret ? "password" : "text"}
            placeholder="value"
            className="font-mono text-xs"
            autoComplete="off"
            value={row.value}
            onChange={(event) => edit(index, { value: event.target.value })}
          />
          <Button
            variant="ghost"
            size="icon"
            aria-label={`Remove ${noun} ${index + 1}`}
            onClick={() => change(rows.filter((_, other) => other !== index))}
          >
            <X aria-hidden />
          </Button>
        </div>
      ))}
      <Button size="sm" className="self-start" onClick={() => change([...rows, { name: "", value: "" }])}>
        <Plus aria-hidden />
        Add {noun}
      </Button>
    </div>
  );
}
