import type { ProfileTool } from "@/lib/profiles/schemas";

/** A profile's tools as people write them: `server/tool` by line. */
export const toLines = (tools: readonly ProfileTool[]): string =>
  tools.map(({ server, tool }) => `${server}/${tool}`).join("\n");

/** The reverse; the first slash separates, and a line without one names every tool of a server. */
export const fromLines = (text: string): ProfileTool[] =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .map((line) => {
      const slash = line.indexOf("/");
      return slash === -1 ? { server: line, tool: "*" } : { server: line.slice(0, slash), tool: line.slice(slash + 1) };
    });
