import { KeyRound, type LucideIcon, OctagonX, Rocket, ServerCog } from "lucide-react";
import Link from "next/link";
import { Badge } from "@/components/ui/badge";
import { Section } from "@/components/ui/section";
import { Table, Tbody, Td, Th, Thead, Tr } from "@/components/ui/table";
import { Time } from "@/components/ui/time";
import type { Mark } from "@/lib/metrics/schemas";

const KINDS: Readonly<Record<Exclude<Mark["kind"], "circuit">, { word: string; Glyph: LucideIcon }>> = {
  deploy: { word: "deploy", Glyph: Rocket },
  permission_map: { word: "permissions", Glyph: KeyRound },
  server: { word: "server", Glyph: ServerCog },
  kill_switch: { word: "kill switch", Glyph: OctagonX },
};

export type ShownMark = Mark & { readonly kind: keyof typeof KINDS };

/** Circuits have bands of their own. */
export const shownMarks = (marks: readonly Mark[]): readonly ShownMark[] =>
  marks.filter((mark): mark is ShownMark => mark.kind !== "circuit");

type Props = {
  readonly tenant: string;
  readonly marks: readonly ShownMark[];
  readonly more: boolean;
  readonly mayReadAudit: boolean;
};

function Kind({ kind }: Pick<ShownMark, "kind">) {
  const { word, Glyph } = KINDS[kind];
  return <Badge glyph={<Glyph aria-hidden />}>{word}</Badge>;
}

/** What was changed within the time, with the number of its line in the charts; newest first. */
export function MarkList({ tenant, marks, more, mayReadAudit }: Props) {
  const numbered = marks.map((mark, index) => ({ mark, number: index + 1 })).toReversed();
  return (
    <Section title="What was changed" note="The numbers are those of the dashed lines in the charts.">
      {marks.length === 0 ? (
        <p className="text-sm text-muted">
          Nothing within this time: no deploy, no change of permissions or of the server, no kill switch.
        </p>
      ) : (
        <Table aria-label="What was changed">
          <Thead>
            <tr>
              <Th numeric>No.</Th>
              <Th>When</Th>
              <Th>What</Th>
              <Th>Change</Th>
              <Th>By</Th>
            </tr>
          </Thead>
          <Tbody>
            {numbered.map(({ mark, number }) => (
              <Tr key={`${mark.at}-${number}`}>
                <Td numeric label="No.">
                  {number}
                </Td>
                <Td>
                  <Time iso={mark.at} show="both" />
                </Td>
                <Td>
                  <Kind kind={mark.kind} />
                </Td>
                <Td primary className="whitespace-normal">
                  {mark.entryId !== null && mayReadAudit ? (
                    <Link
                      className="inline-flex min-h-6 items-center text-accent-text hover:underline"
                      href={`/${tenant}/audit?entry=${encodeURIComponent(mark.entryId)}`}
                    >
                      {mark.text}
                    </Link>
                  ) : (
                    mark.text
                  )}
                </Td>
                <Td {...(mark.by === "" ? {} : { label: "by" })}>{mark.by}</Td>
              </Tr>
            ))}
          </Tbody>
        </Table>
      )}
      {more ? <p className="text-sm text-muted">Older changes of this time are left out.</p> : null}
    </Section>
  );
}
