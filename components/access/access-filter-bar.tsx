"use client";
import type { ReactNode } from "react";
import { Input } from "@/components/ui/input";
import { Select } from "@/components/ui/select";
import type { AccessFilter } from "./use-access-filter";

const ONLY = [
  { value: "all", label: "All tools" },
  { value: "unmapped", label: "Unmapped only" },
  { value: "destructive", label: "Destructive only" },
  { value: "changed", label: "Staged only" },
] as const;

/** Text, server and kind, above matrix and map. */
export function AccessFilterBar({
  filter: [filter, setFilter],
  servers,
  children,
}: {
  readonly filter: AccessFilter;
  readonly servers: readonly { readonly slug: string; readonly name: string }[];
  readonly children?: ReactNode;
}) {
  return (
    <search className="flex flex-wrap items-center gap-2">
      <Input
        type="search"
        aria-label="Find tools or permissions"
        placeholder="Find a tool or permission"
        className="w-64 max-sm:w-full"
        value={filter.q}
        onChange={(event) => setFilter({ q: event.target.value || null })}
      />
      <Select
        aria-label="Server"
        className="w-44"
        value={filter.server}
        onValueChange={(server) => setFilter({ server: server || null })}
        options={[{ value: "", label: "All servers" }, ...servers.map((s) => ({ value: s.slug, label: s.name }))]}
      />
      <Select
        aria-label="Kind of tool"
        className="w-40"
        value={filter.only}
        onValueChange={(only) => setFilter({ only: ONLY.find((option) => option.value === only)?.value ?? null })}
        options={ONLY}
      />
      {children}
    </search>
  );
}
