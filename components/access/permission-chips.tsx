"use client";
import { X } from "lucide-react";
import { useId, useState } from "react";
import { Button } from "@/components/ui/button";
import { Input } from "@/components/ui/input";
import { isPermission } from "@/lib/core/permission";
import { PermissionList } from "./permission-input";

export type PermissionChipsProps = {
  readonly value: readonly string[];
  readonly onChange: (permissions: readonly string[]) => void;
  readonly known: readonly string[];
  readonly label?: string;
  readonly id?: string;
  readonly "aria-describedby"?: string;
  readonly "aria-invalid"?: boolean;
};

/** A set of permissions: type to add, press a cross to take away. */
export function PermissionChips({
  value,
  onChange,
  known,
  label = "Add a permission",
  id,
  ...aria
}: PermissionChipsProps) {
  const list = useId();
  const [text, setText] = useState("");
  const candidate = text.trim();
  const wrong = candidate !== "" && !isPermission(candidate);
  const add = () => {
    if (candidate === "" || wrong) return;
    if (!value.includes(candidate)) onChange([...value, candidate].sort());
    setText("");
  };
  return (
    <div className="flex flex-col gap-2">
      {value.length > 0 ? (
        <ul aria-label="Permissions" className="flex flex-wrap gap-1.5">
          {value.map((permission) => (
            <li
              key={permission}
              className="inline-flex h-6 items-center rounded-sm border border-line bg-surface pl-2 font-mono text-xs"
            >
              {permission}
              <Button
                variant="ghost"
                size="icon-sm"
                aria-label={`Remove ${permission}`}
                onClick={() => onChange(value.filter((other) => other !== permission))}
              >
                <X aria-hidden />
              </Button>
            </li>
          ))}
        </ul>
      ) : null}
      <PermissionList id={list} permissions={known.filter((permission) => !value.includes(permission))} />
      <div className="flex gap-2">
        <Input
          id={id}
          {...aria}
          list={list}
          aria-label={label}
          value={text}
          placeholder="files:read or files:*"
          autoComplete="off"
          spellCheck={false}
          className="font-mono"
          onChange={(event) => setText(event.target.value)}
          onKeyDown={(event) => {
            if (event.key !== "Enter") return;
            event.preventDefault();
            add();
          }}
        />
        <Button onClick={add} disabled={candidate === "" || wrong}>
          Add
        </Button>
      </div>
      {wrong ? <p className="text-xs text-bad">A permission looks like namespace:action or namespace:*.</p> : null}
    </div>
  );
}
