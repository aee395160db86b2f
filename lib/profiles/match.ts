import type { ProfileTool } from "@/lib/profiles/schemas";

export type Matches = (server: string, tool: string) => boolean;

/** `*` stands for any characters, all others for themselves. */
function toPattern(glob: string): RegExp {
  const parts = glob.split("*").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`);
}

/** Whether a tool belongs to a profile. */
export function makeMatches(tools: readonly ProfileTool[]): Matches {
  const rules = tools.map(({ server, tool }) => ({ server, pattern: toPattern(tool) }));
  return (server, tool) =>
    rules.some((rule) => (rule.server === "*" || rule.server === server) && rule.pattern.test(tool));
}
