import type { ProfileTool } from "@/lib/profiles/schemas";

export type Matches = (server: string, tool: string) => boolean;

/**
 * `*` stands for any characters, all others for themselves. What stands between two of them is looked for once, from left to
 * right, which is enough; a regular expression would try every way to share the rest out among them.
 */
function toPattern(glob: string): (text: string) => boolean {
  const [first = "", ...inner] = glob.split("*");
  const last = inner.pop();
  if (last === undefined) return (text) => text === first;
  return (text) => {
    if (!text.startsWith(first)) return false;
    let at = first.length;
    for (const part of inner) {
      const found = text.indexOf(part, at);
      if (found === -1) return false;
      at = found + part.length;
    }
    return at + last.length <= text.length && text.endsWith(last);
  };
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
        (tool.includes(":") ? rule.tool === "*" || rule.tool === tool : rule.pattern(tool)),
    );
}
