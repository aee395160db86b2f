"use client";
import { EmptyState } from "@/components/ui/empty-state";
import { ErrorState } from "@/components/ui/error-state";
import { Section } from "@/components/ui/section";
import { SkeletonRows } from "@/components/ui/skeleton";
import { Table, Tbody, Td, Th, Thead, Tr } from "@/components/ui/table";
import { Time } from "@/components/ui/time";
import type { KillSwitchView } from "@/lib/kill-switches/schemas";
import { KillButton } from "./kill-button";
import { useKillSwitches } from "./use-kill-switches";

/** What is stopped and what was: who, when and why; and the switch for the whole tenant. */
export function KillSwitchList({ tenant, name }: { readonly tenant: string; readonly name: string }) {
  const { thrown, lifted, known, error, refetch } = useKillSwitches(tenant);
  if (!known && error) return <ErrorState error={error} onRetry={refetch} />;
  if (!known) return <SkeletonRows label="Loading the kill switches" />;
  return (
    <div className="flex flex-col gap-8">
      <Section
        title="Stopped now"
        note="A switch stops an agent, a tool, a server or the whole tenant. Those of agents, servers and tools are on their pages."
        actions={<KillButton tenant={tenant} kind="tenant" target={tenant} name={name} />}
      >
        {thrown.length === 0 ? (
          <EmptyState title="Nothing is stopped" why="Every call takes its usual road." />
        ) : (
          <Switches label="Stopped now" rows={thrown} tenant={tenant} />
        )}
      </Section>
      {lifted.length > 0 ? (
        <Section title="Lifted">
          <Switches label="Lifted" rows={lifted} tenant={null} />
        </Section>
      ) : null}
    </div>
  );
}

type RowsProps = { readonly label: string; readonly rows: readonly KillSwitchView[]; readonly tenant: string | null };

function Switches({ label, rows, tenant }: RowsProps) {
  return (
    <Table aria-label={label}>
      <Thead>
        <tr>
          <Th>What</Th>
          <Th>Why</Th>
          <Th>Stopped</Th>
          <Th>{tenant === null ? "Lifted" : <span className="sr-only">Lift</span>}</Th>
        </tr>
      </Thead>
      <Tbody>
        {rows.map((row) => (
          <Tr key={row.id}>
            <Td primary className="break-all">
              {row.kind} <code className="font-mono text-xs">{row.target}</code>
            </Td>
            <Td className="max-w-md break-words whitespace-normal max-sm:w-full">{row.reason || "no reason given"}</Td>
            <Td label="stopped" className="max-sm:w-full">
              <Time iso={row.thrownAt} /> by {row.thrownBy}
            </Td>
            <Td {...(tenant === null ? { label: "lifted" } : {})} className="max-sm:w-full">
              {tenant === null ? (
                <>
                  {row.liftedAt ? <Time iso={row.liftedAt} /> : null} by {row.liftedBy}
                </>
              ) : (
                <KillButton tenant={tenant} kind={row.kind} target={row.target} name={`${row.kind} ${row.target}`} />
              )}
            </Td>
          </Tr>
        ))}
      </Tbody>
    </Table>
  );
}
