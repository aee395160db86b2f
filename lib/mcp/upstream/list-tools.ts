import { canonicalSha256 } from "@/lib/core/canonical-json";
import { broken } from "@/lib/mcp/upstream/faults";
import { isRecord, type Json, type Upstream } from "@/lib/mcp/upstream/protocol";
import type { Deadline } from "@/lib/resilience/deadline";

export type ListedTool = {
  readonly name: string;
  readonly title: string | null;
  readonly description: string;
  readonly inputSchema: Json;
  readonly outputSchema: Json | null;
  readonly annotations: Json | null;
  readonly definitionSha256: string;
};

const MAX_PAGES = 100;
const MAX_TOOLS = 5_000;
const TOOL_NAME = /^[A-Za-z0-9_.-]{1,128}$/;

/** The digest that pins a definition: exactly what an agent's model reads. Absent members are left out. */
export function definitionSha256(tool: Json): string {
  const { name, description, inputSchema, outputSchema, annotations } = tool;
  const members = { name, description, inputSchema, outputSchema, annotations };
  const present = Object.entries(members).filter(([, value]) => value !== undefined && value !== null);
  return canonicalSha256(Object.fromEntries(present));
}

function toListedTool(tool: Json): ListedTool {
  const { title, annotations, outputSchema } = tool;
  const hints = isRecord(annotations) ? annotations : null;
  return {
    name: String(tool["name"]),
    title: typeof title === "string" ? title : typeof hints?.["title"] === "string" ? hints["title"] : null,
    description: typeof tool["description"] === "string" ? tool["description"] : "",
    inputSchema: isRecord(tool["inputSchema"]) ? tool["inputSchema"] : { type: "object" },
    outputSchema: isRecord(outputSchema) ? outputSchema : null,
    annotations: hints,
    definitionSha256: definitionSha256(tool),
  };
}

/** Every tool a server lists, over all its pages. A tool whose name breaks the rule of the protocol is left out. */
export async function listUpstreamTools(upstream: Upstream, deadline: Deadline): Promise<ListedTool[]> {
  const tools = new Map<string, ListedTool>();
  let params: Json = {};
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const { result } = await upstream.request({ method: "tools/list", params, deadline });
    addPage(tools, result["tools"]);
    const next = result["nextCursor"];
    if (typeof next !== "string" || next === "") break;
    params = { cursor: next };
  }
  return [...tools.values()];
}

function addPage(tools: Map<string, ListedTool>, listed: unknown): void {
  if (!Array.isArray(listed)) throw broken("its list of tools is not a list");
  for (const tool of listed) {
    const name = isRecord(tool) ? tool["name"] : null;
    if (typeof name === "string" && TOOL_NAME.test(name)) tools.set(name, toListedTool(tool));
  }
  if (tools.size > MAX_TOOLS) throw broken(`it lists more than ${MAX_TOOLS} tools`);
}
