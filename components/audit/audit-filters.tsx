"use client";
import { useQuery } from "@tanstack/react-query";
import { SlidersHorizontal } from "lucide-react";
import {
  type AuditParams,
  type FilterChange,
  isoToUtcInput,
  PHASE_OPTIONS,
  RANGE_OPTIONS,
  RESULTS,
  resultOf,
  utcInputToIso,
  withResult,
} from "@/components/audit/audit-params";
import { PausingInput } from "@/components/audit/pausing-input";
import { useMay } from "@/components/shell/me-context";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { Popover } from "@/components/ui/popover";
import { Select } from "@/components/ui/select";
import { serversQuery } from "@/lib/client/servers";

type Props = {
  readonly tenant: string;
  readonly params: AuditParams;
  readonly onChange: (change: FilterChange) => void;
};

const CUSTOM = "custom";
const DAY_MS = 86_400_000;
const orNull = (text: string): string | null => (text === "" ? null : text);

function TimeFilter({ params, onChange }: Omit<Props, "tenant">) {
  const custom = params.from !== null || params.to !== null;
  const known = RANGE_OPTIONS.some((option) => option.value === params.range);
  const extra = params.range !== null && !known ? [{ value: params.range, label: `Last ${params.range}` }] : [];
  const choose = (value: string) => {
    if (value !== CUSTOM) return onChange({ range: orNull(value), from: null, to: null });
    onChange({ range: null, from: new Date(Date.now() - DAY_MS).toISOString(), to: new Date().toISOString() });
  };
  return (
    <>
      <Select
        aria-label="Time"
        value={custom ? CUSTOM : (params.range ?? "")}
        onValueChange={choose}
        options={[...RANGE_OPTIONS, ...extra, { value: CUSTOM, label: "Custom, UTC" }]}
        className="w-40 max-sm:w-[calc(50%-4px)]"
      />
      {custom ? (
        <>
          <Input
            type="datetime-local"
            aria-label="From, UTC"
            className="w-56 max-sm:w-full"
            value={isoToUtcInput(params.from)}
            onChange={(event) => onChange({ from: utcInputToIso(event.target.value) })}
          />
          <Input
            type="datetime-local"
            aria-label="Until, UTC"
            className="w-56 max-sm:w-full"
            value={isoToUtcInput(params.to)}
            onChange={(event) => onChange({ to: utcInputToIso(event.target.value) })}
          />
        </>
      ) : null}
    </>
  );
}

function ServerFilter({ tenant, params, onChange }: Props) {
  const mayList = useMay("servers:read");
  const { data } = useQuery({ ...serversQuery(tenant), enabled: mayList });
  const value = params.server ?? "";
  if (data === undefined) {
    return (
      <Field label="Server">
        <PausingInput value={value} onCommit={(text) => onChange({ server: orNull(text) })} />
      </Field>
    );
  }
  // A server that is gone may still be in the trail.
  const names = new Set([...data.map((server) => server.slug), ...(value === "" ? [] : [value])]);
  return (
    <Field label="Server">
      <Select
        value={value}
        onValueChange={(next) => onChange({ server: orNull(next) })}
        options={[{ value: "", label: "Any server" }, ...[...names].map((name) => ({ value: name, label: name }))]}
      />
    </Field>
  );
}

function MoreFilters(props: Props) {
  const { params, onChange } = props;
  return (
    <Popover
      label="More filters"
      className="flex w-72 flex-col gap-3"
      trigger={
        <Button>
          <SlidersHorizontal aria-hidden /> More filters
        </Button>
      }
    >
      <ServerFilter {...props} />
      <Field label="Tool">
        <PausingInput value={params.tool ?? ""} onCommit={(text) => onChange({ tool: orNull(text) })} />
      </Field>
      <Field label="Caller" hint="Agent, e-mail address or id">
        <PausingInput value={params.caller ?? ""} onCommit={(text) => onChange({ caller: orNull(text) })} />
      </Field>
      <Field label="Kind">
        <Select
          value={PHASE_OPTIONS.some((option) => option.value === params.phase) ? (params.phase ?? "") : ""}
          onValueChange={(next) => onChange({ phase: orNull(next) })}
          options={PHASE_OPTIONS}
        />
      </Field>
    </Popover>
  );
}

/** Every control writes the address; the list follows the address. */
export function AuditFilters(props: Props) {
  const { params, onChange } = props;
  return (
    <search className="flex flex-wrap items-center gap-2" data-no-print>
      <div className="min-w-56 flex-1 sm:max-w-96">
        <PausingInput
          type="search"
          data-filter
          aria-label="Search the trail"
          placeholder="Search words, tools, callers, ids"
          value={params.q ?? ""}
          onCommit={(text) => onChange({ q: orNull(text) })}
        />
      </div>
      <TimeFilter params={params} onChange={onChange} />
      <Select
        aria-label="Result"
        value={resultOf(params)}
        onValueChange={(next) => onChange(withResult(next))}
        options={RESULTS}
        className="w-32 max-sm:w-[calc(50%-4px)]"
      />
      <MoreFilters {...props} />
    </search>
  );
}
