import type { ProfileTool } from "@/lib/profiles/schemas";

export type Matches = (server: string, tool: string) => boolean;

/** `*` stands for any characters, all others for themselves. */
function toPattern(glob: string): RegExp {
  const parts = glob.split("*").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`);
}

/**
 * Whether a tool belongs to a profile, or what else the map has a key for. Such a key holds a colon, as no tool's name
 * does, and belongs only where it is named itself or everything is: `re*` means tools.
 */
export function makeMatches(tools: readonly ProfileTool[]): Matches {
  const rules = tools.map(({ server, tool }) => ({ server, tool, pattern: toPattern(tool) }));
  return (server, tool) =>
    rules.some(
      (rule) =>
        (rule.server === "*" || rule.server === server) &&
        (tool.includes(":") ? rule.tool === "*" || rule.tool === tool : rule.pattern.test(tool)),
    );
}
