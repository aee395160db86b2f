"use client";
import { type ReactNode, useState } from "react";
import { Acknowledged, AlertStatus } from "@/components/alerts/alert-status";
import { formatMetric, subjectOf } from "@/components/alerts/alert-words";
import { formatCount } from "@/components/ui/format";
import { onPlainClick } from "@/components/ui/plain-click";
import { moveRowFocus } from "@/components/ui/row-keys";
import { Table, Tbody, Td, Th, Thead, Tr } from "@/components/ui/table";
import { Time } from "@/components/ui/time";
import type { AlertView } from "@/lib/alerts/schemas";

type Props = {
  readonly label: string;
  readonly alerts: readonly AlertView[];
  readonly openId: string | null;
  readonly hrefOf: (id: string) => string;
  readonly onOpen: (id: string) => void;
};

type RowProps = Omit<Props, "alerts" | "label"> & {
  readonly alert: AlertView;
  /** The one row that Tab stops at; ↑ and ↓ move on from it. */
  readonly tabStop: boolean;
  readonly onFocus: () => void;
};

function lasted({ since, resolvedAt }: AlertView): ReactNode {
  return (
    <>
      <Time iso={since} />
      {resolvedAt === null ? null : (
        <span className="text-muted">
          , over <Time iso={resolvedAt} />
        </span>
      )}
    </>
  );
}

function AlertRow({ alert, openId, hrefOf, onOpen, tabStop, onFocus }: RowProps) {
  return (
    <Tr
      data-open={alert.id === openId}
      onClick={(event) => {
        if (!(event.target instanceof Element && event.target.closest("a"))) onOpen(alert.id);
      }}
      className="cursor-pointer has-[:focus-visible]:bg-hover"
    >
      <Td>
        <AlertStatus alert={alert} />
      </Td>
      <Td primary className="w-full max-w-0 min-w-64 truncate max-sm:order-first max-sm:max-w-full">
        <a
          href={hrefOf(alert.id)}
          data-row
          onClick={onPlainClick(() => onOpen(alert.id))}
          tabIndex={tabStop ? 0 : -1}
          onFocus={onFocus}
          aria-current={alert.id === openId ? "true" : undefined}
          title={alert.reason}
          className="inline-block min-h-6 max-w-full truncate align-middle leading-6 max-sm:whitespace-normal"
        >
          {alert.reason}
        </a>
      </Td>
      <Td hideNarrow className="max-w-56 truncate font-mono text-xs" title={subjectOf(alert)}>
        {subjectOf(alert)}
      </Td>
      <Td label="since">{lasted(alert)}</Td>
      <Td numeric label="worst" className="font-mono text-xs">
        {alert.worst === null ? "" : formatMetric(alert.metric, alert.worst)}
      </Td>
      <Td numeric label="callers hit">
        {alert.callersHit === null ? "–" : formatCount(alert.callersHit)}
      </Td>
      <Td className="max-w-64">
        <Acknowledged by={alert.acknowledged} />
      </Td>
    </Tr>
  );
}

/** What fires first, then what may fire, then what is over. ↑ ↓ move, Enter opens. */
export function AlertTable({ label, alerts, ...shared }: Props) {
  const [focused, setFocused] = useState<string | null>(null);
  const stop = alerts.some((alert) => alert.id === focused) ? focused : (alerts[0]?.id ?? null);
  return (
    <Table label={label}>
      <Thead>
        <Tr>
          <Th>State</Th>
          <Th>What is wrong</Th>
          <Th>Where</Th>
          <Th>Since</Th>
          <Th numeric>Worst</Th>
          <Th numeric>Callers hit</Th>
          <Th>Acknowledged</Th>
        </Tr>
      </Thead>
      <Tbody onKeyDown={moveRowFocus}>
        {alerts.map((alert) => (
          <AlertRow
            key={alert.id}
            alert={alert}
            tabStop={alert.id === stop}
            onFocus={() => setFocused(alert.id)}
            {...shared}
          />
        ))}
      </Tbody>
    </Table>
  );
}
