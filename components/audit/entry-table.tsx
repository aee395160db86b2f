"use client";
import { type ReactNode, useState } from "react";
import { EntryStatus } from "@/components/audit/entry-status";
import { formatDuration } from "@/components/ui/format";
import { onPlainClick } from "@/components/ui/plain-click";
import { moveRowFocus } from "@/components/ui/row-keys";
import { Table, Tbody, Td, Th, Thead, Tr } from "@/components/ui/table";
import { Time } from "@/components/ui/time";
import type { EntryView } from "@/lib/audit/schemas";

type Props = {
  readonly entries: readonly EntryView[];
  readonly openId: string | null;
  readonly hrefOf: (id: string) => string;
  readonly onOpen: (id: string) => void;
};

type RowProps = Omit<Props, "entries"> & {
  readonly entry: EntryView;
  /** The one row that Tab stops at; ↑ and ↓ move on from it. */
  readonly tabStop: boolean;
  readonly onFocus: () => void;
};

const objectOf = ({ server, tool, target }: EntryView): ReactNode => {
  if (tool !== null) return server === null ? tool : `${server}__${tool}`;
  return server ?? target ?? "";
};

function EntryRow({ entry, openId, hrefOf, onOpen, tabStop, onFocus }: RowProps) {
  return (
    <Tr
      data-open={entry.id === openId}
      onClick={(event) => {
        if (!(event.target instanceof Element && event.target.closest("a"))) onOpen(entry.id);
      }}
      className="cursor-pointer has-[:focus-visible]:bg-hover"
    >
      <Td className="text-muted">
        <Time iso={entry.ts} />
      </Td>
      <Td>
        <EntryStatus entry={entry} />
      </Td>
      <Td primary className="max-w-0 min-w-64 w-full truncate max-sm:order-first max-sm:max-w-full">
        <a
          href={hrefOf(entry.id)}
          data-row
          onClick={onPlainClick(() => onOpen(entry.id))}
          tabIndex={tabStop ? 0 : -1}
          onFocus={onFocus}
          aria-current={entry.id === openId ? "true" : undefined}
          title={entry.sentence}
          className="inline-block min-h-6 max-w-full truncate align-middle leading-6 max-sm:whitespace-normal"
        >
          {entry.sentence}
        </a>
      </Td>
      <Td hideNarrow className="max-w-48 truncate">
        {entry.actor.name}
      </Td>
      <Td hideNarrow className="max-w-64 truncate font-mono text-xs">
        {objectOf(entry)}
      </Td>
      <Td numeric className="font-mono text-xs">
        {entry.latencyMs === null ? "" : formatDuration(entry.latencyMs)}
      </Td>
    </Tr>
  );
}

/** Newest first. ↑ ↓ move, Enter opens. */
export function EntryTable({ entries, ...shared }: Props) {
  const [focused, setFocused] = useState<string | null>(null);
  const stop = entries.some((entry) => entry.id === focused) ? focused : (entries[0]?.id ?? null);
  return (
    <Table label="Entries of the trail, newest first">
      <Thead>
        <Tr>
          <Th>When</Th>
          <Th>Result</Th>
          <Th>What happened</Th>
          <Th>Caller</Th>
          <Th>Tool or target</Th>
          <Th numeric>Took</Th>
        </Tr>
      </Thead>
      <Tbody onKeyDown={moveRowFocus}>
        {entries.map((entry) => (
          <EntryRow
            key={entry.id}
            entry={entry}
            tabStop={entry.id === stop}
            onFocus={() => setFocused(entry.id)}
            {...shared}
          />
        ))}
      </Tbody>
    </Table>
  );
}
