import Link from "next/link";
import type { ReactNode } from "react";
import { LatencyCells } from "@/components/figures/latency-cells";
import { formatCount, formatShare } from "@/components/ui/format";
import { Section } from "@/components/ui/section";
import { Table, Tbody, Td, Th, Thead, Tr } from "@/components/ui/table";
import type { StatisticsRow } from "@/lib/metrics/schemas";

type Props = {
  readonly title: string;
  readonly note?: ReactNode;
  /** What a row is of: "Tool", "Caller". */
  readonly what: string;
  readonly rows: readonly StatisticsRow[];
  readonly nameOf: (row: StatisticsRow) => string;
  readonly hrefOf: (row: StatisticsRow) => string | null;
  readonly none: string;
};

const COLUMNS = ["Calls", "Failed", "Denied", "Error rate", "Availability", "P50", "P95", "P99"];

function Name({ href, children }: { readonly href: string | null; readonly children: string }) {
  if (href === null) return children;
  return (
    <Link href={href} className="inline-flex min-h-6 items-center text-accent-text hover:underline">
      {children}
    </Link>
  );
}

/** The same figures of several things, most calls first. */
export function FiguresTable({ title, note, what, rows, nameOf, hrefOf, none }: Props) {
  return (
    <Section title={title} note={note}>
      {rows.length === 0 ? (
        <p className="text-sm text-muted">{none}</p>
      ) : (
        <Table label={title}>
          <Thead>
            <tr>
              <Th>{what}</Th>
              {COLUMNS.map((name) => (
                <Th key={name} numeric>
                  {name}
                </Th>
              ))}
            </tr>
          </Thead>
          <Tbody>
            {rows.map((row) => (
              <Tr key={`${row.server}/${row.tool}/${row.caller}`}>
                <Td primary>
                  <Name href={hrefOf(row)}>{nameOf(row)}</Name>
                </Td>
                <Td numeric label="calls">
                  {formatCount(row.requests)}
                </Td>
                <Td numeric label="failed">
                  {formatCount(row.failures)}
                </Td>
                <Td numeric label="denied">
                  {formatCount(row.denied)}
                </Td>
                <Td numeric label="errors">
                  {formatShare(row.errorRate)}
                </Td>
                <Td numeric label="available">
                  {formatShare(row.availability)}
                </Td>
                <LatencyCells row={row} />
              </Tr>
            ))}
          </Tbody>
        </Table>
      )}
    </Section>
  );
}
