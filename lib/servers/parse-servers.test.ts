import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isAppError } from "@/lib/core/errors";
import { parseServers } from "@/lib/servers/parse-servers";
import { splitCommand } from "@/lib/servers/split-command";

const refusal = (text: string): string => {
  try {
    parseServers(text);
  } catch (cause) {
    if (isAppError(cause) && cause.code === "invalid_input") return cause.message;
    throw cause;
  }
  throw new Error("was not refused");
};

describe("parseServers", () => {
  it("reads a URL and names it by its telling label", () => {
    expect(parseServers("  https://mcp.linear.app/mcp ")).toEqual([
      { slug: "linear", name: "linear", endpoint: { transport: "http", url: "https://mcp.linear.app/mcp" } },
    ]);
    expect(parseServers("http://127.0.0.1:3001/mcp")[0]?.slug).toBe("local-3001");
  });

  it("takes user and password out of a URL into the credential", () => {
    const [server] = parseServers("https://ann:p%40ss@tools.example.com/mcp");
    expect(server?.endpoint).toEqual({ transport: "http", url: "https://tools.example.com/mcp" });
    expect(server?.credential).toEqual({ Authorization: `Basic ${btoa("ann:p@ss")}` });
  });

  it("reads a command line with quotes, variables and no shell", () => {
    const line = `LOG_LEVEL=debug GITHUB_TOKEN='ghp_1 2' npx -y "@modelcontextprotocol/server-filesystem" "/srv/my files" it\\ s`;
    expect(parseServers(line)).toEqual([
      {
        slug: "filesystem",
        name: "filesystem",
        endpoint: {
          transport: "stdio",
          command: "npx",
          args: ["-y", "@modelcontextprotocol/server-filesystem", "/srv/my files", "it s"],
          env: { LOG_LEVEL: "debug" },
        },
        credential: { GITHUB_TOKEN: "ghp_1 2" },
      },
    ]);
    expect(parseServers("node /opt/server-everything/dist/index.js stdio")[0]?.slug).toBe("everything");
    expect(parseServers('npx x "a|b; $(c)"')[0]?.endpoint).toMatchObject({ args: ["x", "a|b; $(c)"] });
  });

  it("refuses what only a shell could do, and unclosed quotes", () => {
    for (const line of [
      "npx x | sh",
      "npx x && rm -rf /",
      "npx x; id",
      "npx $(id)",
      "npx `id`",
      "npx x > /etc/passwd",
      "npx 'x",
    ]) {
      expect(refusal(line)).toMatch(/shell|never closed/);
    }
  });

  it("reads mcpServers JSON with several servers, headers and secret variables set apart", () => {
    const servers = parseServers(
      JSON.stringify({
        mcpServers: {
          "My Files": {
            command: "npx",
            args: ["-y", "server-files", 8080],
            env: { API_KEY: "k", MODE: "ro", DB: "postgres://u:p@h/d" },
          },
          remote: {
            type: "http",
            url: "https://example.com/mcp",
            headers: { Authorization: "Bearer t", "X-Team": "a" },
          },
        },
      }),
    );
    expect(servers).toEqual([
      {
        slug: "my-files",
        name: "My Files",
        endpoint: { transport: "stdio", command: "npx", args: ["-y", "server-files", "8080"], env: { MODE: "ro" } },
        credential: { API_KEY: "k", DB: "postgres://u:p@h/d" },
      },
      {
        slug: "remote",
        name: "remote",
        endpoint: { transport: "http", url: "https://example.com/mcp" },
        credential: { Authorization: "Bearer t", "X-Team": "a" },
      },
    ]);
  });

  it("reads VS Code's servers with comments and trailing commas, one bare server, and a cut-out piece", () => {
    const vscode = `{
      // my servers
      "servers": { "gh": { "type": "http", "url": "https://api.example.com/mcp/", /* soon */ }, },
      "inputs": [],
    }`;
    expect(parseServers(vscode)).toMatchObject([{ slug: "gh", endpoint: { url: "https://api.example.com/mcp/" } }]);
    expect(parseServers('{"command":"uvx","args":["mcp-server-git"]}')[0]?.slug).toBe("git");
    expect(parseServers('"git": {"command":"uvx mcp-server-git --repo \'a b\'"}')).toMatchObject([
      { slug: "git", endpoint: { command: "uvx", args: ["mcp-server-git", "--repo", "a b"] } },
    ]);
  });

  it("takes no longer for what is made to take long", () => {
    // Each of these once took a regular expression seconds to hours.
    for (const text of [`{"a":1,${"// ".repeat(5_000)}`, `{${"/* ".repeat(5_000)}`, `{"a":${"[".repeat(15_000)}`])
      expect(() => parseServers(text)).toThrow(expect.objectContaining({ code: "invalid_input" }));
  }, 2_000);

  it("reads the transport from the type, and without one from the address", () => {
    const at = (text: string) => parseServers(text)[0]?.endpoint;
    const older = { transport: "sse", url: "https://x.example/events" };
    expect(at('{"a": {"type": "sse", "url": "https://x.example/events"}}')).toEqual(older);
    expect(at('{"a": {"transport": "SSE", "url": "https://x.example/events"}}')).toEqual(older);
    expect(at("https://x.example/sse")).toEqual({ transport: "sse", url: "https://x.example/sse" });
    expect(at('{"a": {"type": "http", "url": "https://x.example/sse"}}')).toMatchObject({ transport: "http" });
    const socket = { transport: "websocket", url: "wss://x.example/mcp" };
    expect(at("wss://x.example/mcp")).toEqual(socket);
    for (const type of ["ws", "websocket"])
      expect(at(`{"a": {"type": "${type}", "url": "wss://x.example/mcp"}}`)).toEqual(socket);
    const signed = parseServers("wss://me:pw@x.example/mcp")[0];
    expect(signed).toMatchObject({ endpoint: socket, credential: { Authorization: "Basic bWU6cHc=" } });
  });

  it("gives each server a slug of its own", () => {
    const slugs = parseServers("https://a.example.com/1\nhttps://b.example.com/2\nhttps://c.example.com/3").map(
      ({ slug }) => slug,
    );
    expect(slugs).toEqual(["example", "example-2", "example-3"]);
  });

  it("says what is wrong", () => {
    expect(refusal('{"mcpServers": {')).toMatch(/not complete/);
    expect(refusal('{"a": {"type": "ws", "url": "https://x.example"}}')).toMatch(/no address for websocket/);
    expect(refusal('{"a": {"type": "sse", "url": "wss://x.example"}}')).toMatch(/no address for sse/);
    expect(refusal('{"a": {"type": "carrier-pigeon", "url": "https://x.example"}}')).toMatch(/neither "url" nor/);
    expect(refusal('{"mcpServers": {"a": {}}}')).toMatch(/neither "url" nor "command"/);
    expect(refusal('{"mcpServers": {}}')).toMatch(/names no server/);
    expect(refusal('{"a": {"url": "ftp://x"}}')).toMatch(/not an http/);
    expect(refusal("# only a remark")).toMatch(/names no server/);
  });

  it("answers anything with well-formed servers or a refusal, never with a crash", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.json().map((json) => `{"mcpServers":${json}}`),
        ),
        (text) => {
          try {
            for (const server of parseServers(text)) {
              expect(["http", "sse", "websocket", "stdio"]).toContain(server.endpoint.transport);
              expect(server.slug).toMatch(/^[a-z][a-z0-9-]{0,30}$/);
            }
          } catch (cause) {
            if (!isAppError(cause)) throw cause;
            expect(cause.code).toBe("invalid_input");
          }
        },
      ),
    );
  });

  it("gives back every word that was quoted", () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (words) => {
        const quoted = words.map((word) => `'${word.replaceAll("'", `'"'"'`)}'`).join(" ");
        expect(splitCommand(quoted)).toEqual(words);
      }),
    );
  });
});
