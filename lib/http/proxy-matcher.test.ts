import { describe, expect, it } from "vitest";
import { config } from "@/proxy";

const covered = (path: string): boolean => config.matcher.some((matcher) => new RegExp(`^${matcher}$`).test(path));

describe("the headers of the console", () => {
  it("are on every page and answer, whatever a tenant is called", () => {
    const paths = ["/", "/clinic/overview", "/favicon-ico/overview", "/favicon.ico.html", "/api/v1/me", "/api/mcpx"];
    expect(paths.filter((path) => !covered(path))).toEqual([]);
  });

  it("are not on the agents' door and on what was built", () => {
    const paths = ["/api/mcp", "/api/mcp/files", "/_next/static/chunks/main.js", "/favicon.ico"];
    expect(paths.filter(covered)).toEqual([]);
  });
});
