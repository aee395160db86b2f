"use client";
import Link from "next/link";
import { parseAsString, parseAsStringLiteral, useQueryStates } from "nuqs";
import { EmptyState } from "@/components/ui/empty-state";
import { Input } from "@/components/ui/input";
import { Section } from "@/components/ui/section";
import { Select } from "@/components/ui/select";
import { Status } from "@/components/ui/status";
import { Table, Tbody, Td, Th, Thead, Tr } from "@/components/ui/table";
import type { AgentDetail } from "@/lib/agents/schemas";

const SHOWN = 200;
const SHOW = ["all", "allowed", "denied"] as const;
const SHOW_OPTIONS = [
  { value: "all", label: "All tools" },
  { value: "allowed", label: "Allowed" },
  { value: "denied", label: "Denied" },
];

/** What decide() says of this agent for every tool, each one click from its explanation. */
export function AgentTools({ tenant, agent }: { readonly tenant: string; readonly agent: AgentDetail }) {
  const [{ q, show }, set] = useQueryStates({
    q: parseAsString.withDefault(""),
    show: parseAsStringLiteral(SHOW).withDefault("all"),
  });
  const allowed = agent.tools.filter((tool) => tool.allowed).length;
  const rows = agent.tools.filter(
    (tool) =>
      (show === "all" || tool.allowed === (show === "allowed")) &&
      `${tool.server}/${tool.tool} ${tool.permission}`.toLowerCase().includes(q.trim().toLowerCase()),
  );
  return (
    <Section
      title="Effective tools"
      note={`${allowed} of ${agent.tools.length} tools are allowed. A tool is listed to the agent exactly when it may be called.`}
      actions={
        <>
          <Input
            type="search"
            aria-label="Find a tool"
            placeholder="Find a tool"
            className="w-48"
            value={q}
            onChange={(event) => set({ q: event.target.value || null })}
          />
          <Select
            aria-label="Which tools"
            className="w-32"
            value={show}
            onValueChange={(next) => set({ show: SHOW.find((known) => known === next) ?? null })}
            options={SHOW_OPTIONS}
          />
        </>
      }
    >
      {rows.length === 0 ? (
        <EmptyState
          title="No tools here"
          why={agent.tools.length === 0 ? "No server is registered yet." : "Nothing fits this filter."}
        />
      ) : (
        <Table aria-label="Effective tools">
          <Thead>
            <tr>
              <Th>Tool</Th>
              <Th>Decision</Th>
              <Th>Needs the permission</Th>
              <Th>
                <span className="sr-only">Why</span>
              </Th>
            </tr>
          </Thead>
          <Tbody>
            {rows.slice(0, SHOWN).map((tool) => (
              <Tr key={`${tool.server}/${tool.tool}`}>
                <Td primary>
                  <span className="text-muted">{tool.server} / </span>
                  {tool.tool}
                </Td>
                <Td>
                  <Status state={tool.allowed ? "allowed" : "denied"} />
                </Td>
                <Td>
                  <code className="font-mono text-xs">{tool.permission}</code>
                </Td>
                <Td className="text-right">
                  <Link
                    className="text-accent-text underline underline-offset-2"
                    aria-label={`Why ${tool.server}/${tool.tool} is ${tool.allowed ? "allowed" : "denied"}`}
                    href={`/${tenant}/access?tab=explain&agent=${agent.slug}&tool=${encodeURIComponent(`${tool.server}/${tool.tool}`)}`}
                  >
                    Why
                  </Link>
                </Td>
              </Tr>
            ))}
          </Tbody>
        </Table>
      )}
      {rows.length > SHOWN ? (
        <p className="text-sm text-muted">
          The first {SHOWN} of {rows.length} are shown. Narrow the search to see others.
        </p>
      ) : null}
    </Section>
  );
}
