import { ToolCache } from "@/components/limits/tool-cache";
import { Facts } from "@/components/ui/facts";
import { Id } from "@/components/ui/id";
import { UNMAPPED_PERMISSION } from "@/lib/core/permission";
import type { ServerDetail, ServerToolView } from "@/lib/servers/schemas";
import { ToolHints } from "./tool-hints";

type Props = { readonly tenant: string; readonly server: ServerDetail; readonly tool: ServerToolView };

/** What a tool is called, what it needs, and how its answers are handled. */
export function ToolFacts({ tenant, server, tool }: Props) {
  return (
    <Facts
      facts={[
        {
          name: "Name on the joint door",
          value: <code className="font-mono text-xs break-all">{`${server.slug}__${tool.name}`}</code>,
        },
        {
          name: "Needs",
          value: <code className="font-mono text-xs">{tool.permission ?? `${UNMAPPED_PERMISSION} (unmapped)`}</code>,
        },
        { name: "It says", value: <ToolHints tool={tool} /> },
        { name: "Definition", value: <Id value={tool.definitionSha256} label="definition digest" /> },
        {
          name: "Answers given again",
          value: <ToolCache key={tool.name} tenant={tenant} server={server} tool={tool} />,
        },
      ]}
    />
  );
}
