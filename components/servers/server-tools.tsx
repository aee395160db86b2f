"use client";
import Link from "next/link";
import { parseAsString, useQueryState } from "nuqs";
import { toolHref } from "@/components/figures/tool-href";
import { KillButton } from "@/components/kill-switches/kill-button";
import { useKillSwitches } from "@/components/kill-switches/use-kill-switches";
import { Badge } from "@/components/ui/badge";
import { Button, buttonClass } from "@/components/ui/button";
import { cn } from "@/components/ui/cn";
import { Drawer } from "@/components/ui/drawer";
import { EmptyState } from "@/components/ui/empty-state";
import { JsonView } from "@/components/ui/json-view";
import { Note } from "@/components/ui/note";
import { Table, Tbody, Td, Th, Thead, Tr } from "@/components/ui/table";
import { UNMAPPED_PERMISSION } from "@/lib/core/permission";
import { jointName, MAX_JOINT_NAME, type ServerDetail, type ServerToolView } from "@/lib/servers/schemas";
import { ToolFacts } from "./tool-facts";
import { ToolHints } from "./tool-hints";

/** The tools of a server; one opens with its schema at the right. */
export function ServerTools({ tenant, server }: { readonly tenant: string; readonly server: ServerDetail }) {
  const [name, setName] = useQueryState("tool", parseAsString);
  const { thrown } = useKillSwitches(tenant);
  const stopped = new Set(thrown.flatMap(({ kind, target }) => (kind === "tool" ? [target] : [])));
  const open = server.tools.find((tool) => tool.name === name);
  if (server.tools.length === 0)
    return <EmptyState title="No tools" why="The server offered none when it was last probed." />;
  return (
    <div className="flex flex-col gap-3">
      <LongNames server={server} />
      <RemovedTools server={server} />
      <Table aria-label="Tools">
        <Thead>
          <tr>
            <Th>Tool</Th>
            <Th>Description</Th>
            <Th>It says</Th>
            <Th>Needs the permission</Th>
          </tr>
        </Thead>
        <Tbody>
          {server.tools.map((tool) => (
            <Tr key={tool.name} data-open={tool.name === name}>
              <Td primary>
                <span className="flex flex-wrap items-center gap-x-2">
                  <Button
                    variant="link"
                    className="h-auto shrink text-left whitespace-normal"
                    onClick={() => setName(tool.name)}
                  >
                    {tool.name}
                  </Button>
                  <ToolState tool={tool} stopped={stopped.has(`${server.slug}/${tool.name}`)} />
                </span>
              </Td>
              <Td className="max-w-xl truncate max-sm:line-clamp-2" title={tool.description}>
                {tool.description}
              </Td>
              <Td>
                <ToolHints tool={tool} />
              </Td>
              <Td>
                <Link
                  className={cn(
                    "font-mono text-xs underline underline-offset-2",
                    tool.permission === null ? "text-warn" : "text-accent-text",
                  )}
                  href={`/${tenant}/access?tab=map&server=${server.slug}&q=${encodeURIComponent(tool.name)}`}
                >
                  {tool.permission ?? `${UNMAPPED_PERMISSION} (unmapped)`}
                </Link>
              </Td>
            </Tr>
          ))}
        </Tbody>
      </Table>
      <Drawer
        open={open !== undefined}
        onOpenChange={(on) => !on && setName(null)}
        title={open?.title ?? open?.name ?? ""}
      >
        {open ? (
          <div className="flex flex-col gap-4">
            <p className="text-sm whitespace-pre-wrap">{open.description}</p>
            <ToolFacts tenant={tenant} server={server} tool={open} />
            <div className="flex flex-wrap items-center gap-3">
              <Link href={toolHref(tenant, server.id, open.name)} className={buttonClass()}>
                Figures and who may call it
              </Link>
              <KillButton
                key={open.name}
                tenant={tenant}
                kind="tool"
                target={`${server.slug}/${open.name}`}
                name={`${server.slug}__${open.name}`}
              />
            </div>
            <JsonView value={open.inputSchema} label="Input schema" />
          </div>
        ) : null}
      </Drawer>
    </div>
  );
}

const REVIEW_TONE = { held: "warn", new: "info", rejected: "bad" } as const;

/** Why a tool is not called though the server offers it. */
function ToolState({ tool, stopped }: { readonly tool: ServerToolView; readonly stopped: boolean }) {
  return (
    <>
      {stopped ? <Badge tone="bad">stopped</Badge> : null}
      {tool.review ? <Badge tone={REVIEW_TONE[tool.review.state]}>{tool.review.state}</Badge> : null}
    </>
  );
}

/** What it offered once: listed to nobody, and held against what was approved should it come back. */
function RemovedTools({ server }: { readonly server: ServerDetail }) {
  if (server.removedTools.length === 0) return null;
  return (
    <Note>
      Unavailable, because the server offers them no more: {server.removedTools.map(({ name }) => name).join(", ")}.
    </Note>
  );
}

/** Some clients refuse names that long; nothing is cut, because a cut name would be another one. */
function LongNames({ server }: { readonly server: ServerDetail }) {
  const long = server.tools.filter(({ name }) => jointName(server.slug, name).length > MAX_JOINT_NAME);
  if (long.length === 0) return null;
  return (
    <Note tone="warn">
      {long.length === 1 ? "One name" : `${long.length} names`} on the joint door {long.length === 1 ? "is" : "are"}{" "}
      longer than {MAX_JOINT_NAME} characters, which some clients refuse: {long.map(({ name }) => name).join(", ")}.
      Names are never cut; the server's own door gives them without its name.
    </Note>
  );
}
