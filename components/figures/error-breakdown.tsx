import Link from "next/link";
import { type FigureSubject, trailHref } from "@/components/figures/trail-links";
import { formatCount, formatShare } from "@/components/ui/format";
import { Section } from "@/components/ui/section";
import { Table, Tbody, Td, Th, Thead, Tr } from "@/components/ui/table";
import type { MetricsWindow } from "@/lib/client/metrics";
import type { StatisticsRow } from "@/lib/metrics/schemas";

type Props = {
  readonly subject: FigureSubject;
  readonly window: MetricsWindow;
  readonly row: StatisticsRow | undefined;
  readonly mayReadAudit: boolean;
};

/** Why calls did not succeed, most frequent first. */
export function ErrorBreakdown({ subject, window, row, mayReadAudit }: Props) {
  const errors = row?.errors ?? [];
  const requests = row?.requests ?? 0;
  return (
    <Section title="Why calls did not succeed" note="By the code that the caller was given.">
      {errors.length === 0 ? (
        <p className="text-sm text-muted">{requests === 0 ? "There was no call." : "Every call succeeded."}</p>
      ) : (
        <Table aria-label="Why calls did not succeed">
          <Thead>
            <tr>
              <Th>Code</Th>
              <Th numeric>Calls</Th>
              <Th numeric>Of all calls</Th>
            </tr>
          </Thead>
          <Tbody>
            {errors.map(({ code, count }) => (
              <Tr key={code}>
                <Td primary className="font-mono text-xs">
                  {mayReadAudit ? (
                    <Link
                      className="inline-flex min-h-6 items-center text-accent-text hover:underline"
                      href={trailHref(subject, window, { q: code })}
                    >
                      {code}
                    </Link>
                  ) : (
                    code
                  )}
                </Td>
                <Td numeric label="calls">
                  {formatCount(count)}
                </Td>
                <Td numeric label="of all">
                  {formatShare(requests === 0 ? null : count / requests)}
                </Td>
              </Tr>
            ))}
          </Tbody>
        </Table>
      )}
    </Section>
  );
}
