"use client";
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { parseAsStringLiteral, useQueryState } from "nuqs";
import { Figures } from "@/components/figures/figures";
import { KillButton } from "@/components/kill-switches/kill-button";
import { ErrorState } from "@/components/ui/error-state";
import { JsonView } from "@/components/ui/json-view";
import { Note } from "@/components/ui/note";
import { PageHeader } from "@/components/ui/page-header";
import { SkeletonRows } from "@/components/ui/skeleton";
import { Status } from "@/components/ui/status";
import { Tabs } from "@/components/ui/tabs";
import { serverQuery } from "@/lib/client/servers";
import { jointName, type ServerDetail } from "@/lib/servers/schemas";
import { CircuitStatus } from "./circuit-status";
import { ToolAccess } from "./tool-access";
import { ToolFacts } from "./tool-facts";

const TABS = ["figures", "definition"] as const;

/** How often the state of its circuit is asked for beside the figures. */
const LOOK_MS = 10_000;

type Props = { readonly tenant: string; readonly id: string; readonly name: string };

/** Which circuit holds calls of the tool back: one of its own where the server's settings say so, and the server's. */
function ToolCircuit({ server, name }: { readonly server: ServerDetail; readonly name: string }) {
  const hasOwn = server.circuitPolicy?.perTool?.includes(name) === true;
  const own = server.circuit.tools.find(({ tool }) => tool === name);
  return (
    <span className="flex items-center gap-1.5">
      {hasOwn ? (
        <>
          its own circuit <Status state={own?.kind ?? "closed"} />
        </>
      ) : (
        <>
          circuit of the server <CircuitStatus circuit={server.circuit} />
        </>
      )}
    </span>
  );
}

function Definition({ tenant, server, name }: Omit<Props, "id"> & { readonly server: ServerDetail }) {
  const tool = server.tools.find((each) => each.name === name);
  if (tool === undefined)
    return (
      <Note>The server offers no tool of this name now. Its figures are those of the time when it was called.</Note>
    );
  return (
    <div className="grid gap-8 lg:grid-cols-2">
      <div className="flex min-w-0 flex-col gap-4">
        <p className="text-sm whitespace-pre-wrap">{tool.description}</p>
        <ToolFacts tenant={tenant} server={server} tool={tool} />
        <JsonView value={tool.inputSchema} label="Input schema" />
      </div>
      <ToolAccess tenant={tenant} server={server.slug} tool={tool} />
    </div>
  );
}

/** One tool: how its calls fare, what it is, and who may call it. */
export function ToolPage({ tenant, id, name }: Props) {
  const [tab, setTab] = useQueryState("tab", parseAsStringLiteral(TABS).withDefault("figures"));
  const query = useQuery({ ...serverQuery(tenant, id), refetchInterval: tab === "figures" ? LOOK_MS : false });
  if (query.error) return <ErrorState error={query.error} onRetry={query.refetch} />;
  const server = query.data;
  if (!server) return <SkeletonRows label="Loading the tool" />;
  return (
    <>
      <PageHeader
        title={name}
        purpose={
          <span className="flex flex-wrap items-center gap-x-4">
            <span>
              tool of{" "}
              <Link className="text-accent-text underline underline-offset-2" href={`/${tenant}/servers/${id}`}>
                {server.name}
              </Link>
            </span>
            <ToolCircuit server={server} name={name} />
          </span>
        }
        actions={
          <KillButton
            tenant={tenant}
            kind="tool"
            target={`${server.slug}/${name}`}
            name={jointName(server.slug, name)}
          />
        }
      />
      <Tabs
        label="Tool"
        value={tab}
        onValueChange={(next) => setTab(TABS.find((known) => known === next) ?? null)}
        items={[
          {
            value: "figures",
            label: "Figures",
            content: <Figures subject={{ tenant, server: server.slug, tool: name }} />,
          },
          {
            value: "definition",
            label: "Definition and access",
            content: <Definition tenant={tenant} server={server} name={name} />,
          },
        ]}
      />
    </>
  );
}
