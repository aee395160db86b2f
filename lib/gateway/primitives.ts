import { PROMPTS, RESOURCES } from "@/lib/access/primitives";
import type { RegisteredTool } from "@/lib/servers/registered-server";

const pseudo = (name: string): RegisteredTool => ({ definition: { name, inputSchema: {} }, sha256: "" });

/** What stands in the place of a tool in a grant for something else. */
export const PRIMITIVES: ReadonlyMap<string, RegisteredTool> = new Map(
  [RESOURCES, PROMPTS].map((name) => [name, pseudo(name)]),
);
