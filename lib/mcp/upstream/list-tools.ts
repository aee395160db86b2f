import { canonicalSha256 } from "@/lib/core/canonical-json";
import { type Listing, listPages } from "@/lib/mcp/upstream/list-pages";
import { annotationFault } from "@/lib/mcp/upstream/param-headers";
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

/** Hears of a tool that is left out, and why. */
export type LeaveOut = (name: string, why: string) => void;

/** The tools a server lists, over its pages. One that breaks a rule of the protocol is left out; the others stay. */
export async function listUpstreamTools(
  upstream: Upstream,
  deadline: Deadline,
  leaveOut: LeaveOut = () => undefined,
): Promise<Listing<ListedTool>> {
  const isModern = (await upstream.greet(deadline)).era === "modern";
  const tools = new Map<string, ListedTool>();
  const { items, cut } = await listPages(upstream, "tools/list", "tools", deadline);
  for (const tool of items) {
    const why = faultOf(tool, isModern);
    if (why === null) tools.set(String(tool["name"]), toListedTool(tool));
    else leaveOut(String(tool["name"]).slice(0, 200), why);
  }
  return { items: [...tools.values()], cut };
}

function faultOf({ name, inputSchema }: Json, isModern: boolean): string | null {
  if (typeof name !== "string" || !TOOL_NAME.test(name)) return "its name is not 1 to 128 of A-Z a-z 0-9 _ . -";
  // Before revision 2026-07-28 the annotation meant nothing.
  if (!isModern || !isRecord(inputSchema)) return null;
  const fault = annotationFault(inputSchema);
  return fault === null ? null : `its x-mcp-header cannot be used: ${fault}`;
}
