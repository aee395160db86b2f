import { describe, expect, it } from "vitest";
import { CONNECT_CLIENTS, connectSnippet, connectSnippets, doorUrl } from "@/lib/agents/connect-snippets";
import { splitCommand } from "@/lib/servers/split-command";

const target = { baseUrl: "http://127.0.0.1:3000/", key: "cs_example" };
const code = (client: Parameters<typeof connectSnippet>[0], at = 0): string =>
  connectSnippet(client, target).parts[at]?.code ?? "";

describe("connect snippets", () => {
  it("points at the joint door, or at one server's", () => {
    expect(doorUrl(target)).toBe("http://127.0.0.1:3000/api/mcp");
    expect(doorUrl({ ...target, serverSlug: "files" })).toBe("http://127.0.0.1:3000/api/mcp/files");
  });

  it("has every client, with the real address in every part that is not an installation", () => {
    const snippets = connectSnippets(target);
    expect(snippets.map(({ client }) => client)).toEqual([...CONNECT_CLIENTS]);
    for (const snippet of snippets) {
      const text = snippet.parts.map((part) => part.code).join("\n");
      expect(text).toContain("http://127.0.0.1:3000/api/mcp");
      expect(text + (snippet.install?.href ?? "")).toMatch(/cs_example|COUNTERSIGN_KEY|input:/);
      expect(snippet.traps.length).toBeGreaterThan(0);
    }
  });

  it("writes JSON that parses, with the key each client expects at its top", () => {
    expect(JSON.parse(code("claude-code", 1))).toMatchObject({ mcpServers: { countersign: { type: "http" } } });
    expect(JSON.parse(code("cursor"))).toMatchObject({
      mcpServers: { countersign: { headers: { Authorization: "Bearer cs_example" } } },
    });
    const vscode = JSON.parse(code("vscode")) as { servers: object; inputs: { id: string }[] };
    expect(Object.keys(vscode)).toEqual(["inputs", "servers"]);
    expect(JSON.stringify(vscode.servers)).toContain(`\${input:${vscode.inputs[0]?.id}}`);
    expect(JSON.stringify(vscode)).not.toContain("cs_example");
  });

  it("puts into links what the files hold", () => {
    const cursor = new URL(connectSnippet("cursor", target).install?.href ?? "");
    expect(JSON.parse(atob(cursor.searchParams.get("config") ?? ""))).toEqual({
      url: doorUrl(target),
      headers: { Authorization: "Bearer cs_example" },
    });
    const vscode = connectSnippet("vscode", target).install?.href.replace("vscode:mcp/install?", "") ?? "";
    expect(JSON.parse(decodeURIComponent(vscode))).toMatchObject({ name: "countersign", url: doorUrl(target) });
  });

  it("gives shells one argument per thing, even for an awkward key", () => {
    const words = splitCommand(code("claude-code"));
    expect(words.slice(0, 5)).toEqual(["claude", "mcp", "add", "--transport", "http"]);
    expect(words.slice(5)).toEqual(["countersign", doorUrl(target), "--header", "Authorization: Bearer cs_example"]);
    const awkward = connectSnippet("curl", { ...target, key: "a'b $(id) c" }).parts[0]?.code ?? "";
    const curl = splitCommand(awkward.replaceAll("\\\n", " "));
    expect(curl).toContain("Authorization: Bearer a'b $(id) c");
    expect(JSON.parse(curl.at(-1) ?? "")).toMatchObject({ method: "tools/list" });
  });
});
