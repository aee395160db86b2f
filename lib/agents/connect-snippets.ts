import { withoutEnd } from "@/lib/core/without-end";

/** Browser-safe: what the Connect page shows and what the end-to-end tests run. */
export const CONNECT_CLIENTS = [
  "claude-code",
  "cursor",
  "vscode",
  "typescript-v2",
  "typescript-v1",
  "inspector",
  "curl",
] as const;
export type ConnectClient = (typeof CONNECT_CLIENTS)[number];

export type ConnectTarget = {
  /** Where the console is, e.g. `https://gateway.example.com`. */
  readonly baseUrl: string;
  /** One server with its original tool names; the joint door without it. */
  readonly serverSlug?: string;
  /** The agent's key, or a placeholder where it is not known any more. */
  readonly key: string;
};

export type ConnectPart = {
  readonly label: string;
  readonly language: "shell" | "json" | "typescript";
  /** Where the text belongs; null means that it is run. */
  readonly file: string | null;
  readonly code: string;
};

export type ConnectSnippet = {
  readonly client: ConnectClient;
  readonly title: string;
  readonly parts: readonly ConnectPart[];
  /** A link that makes the client install it by itself. */
  readonly install: { readonly label: string; readonly href: string } | null;
  /** What goes wrong for people, in one sentence each. */
  readonly traps: readonly string[];
};

type Place = { readonly url: string; readonly name: string; readonly key: string };

const MODERN = "2026-07-28";

/** The address of the agents' door. */
export const doorUrl = ({ baseUrl, serverSlug }: Pick<ConnectTarget, "baseUrl" | "serverSlug">): string =>
  `${withoutEnd(baseUrl, "/")}/api/mcp${serverSlug === undefined ? "" : `/${serverSlug}`}`;

/** A word of a POSIX shell, whatever it holds. */
const shell = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
const json = (value: unknown): string => JSON.stringify(value, null, 2);
const bearer = (key: string): string => `Bearer ${key}`;

function base64(text: string): string {
  const bytes = new TextEncoder().encode(text);
  return btoa(String.fromCharCode(...bytes));
}

const run = (label: string, code: string): ConnectPart => ({ label, language: "shell", file: null, code });

function claudeCode({ url, name, key }: Place): Omit<ConnectSnippet, "client"> {
  const project = {
    mcpServers: { [name]: { type: "http", url, headers: { Authorization: `Bearer \${COUNTERSIGN_KEY}` } } },
  };
  return {
    title: "Claude Code",
    install: null,
    parts: [
      run(
        "Add it for yourself",
        `claude mcp add --transport http ${name} ${shell(url)} --header ${shell(`Authorization: ${bearer(key)}`)}`,
      ),
      { label: "Or share it with a project", language: "json", file: ".mcp.json", code: json(project) },
    ],
    traps: [
      "Without --transport http the address is taken for a command to start.",
      "--header comes last: it takes every word after it.",
      "The project file is shared, so it names the variable COUNTERSIGN_KEY; set it where Claude Code is started.",
      "A server added in one folder is known in that folder only; add --scope user to have it everywhere.",
    ],
  };
}

function cursor({ url, name, key }: Place): Omit<ConnectSnippet, "client"> {
  const config = { url, headers: { Authorization: bearer(key) } };
  const link = new URLSearchParams({ name, config: base64(JSON.stringify(config)) });
  return {
    title: "Cursor",
    install: { label: "Install in Cursor", href: `cursor://anysphere.cursor-deeplink/mcp/install?${link}` },
    parts: [
      {
        label: "Configuration",
        language: "json",
        file: "~/.cursor/mcp.json",
        code: json({ mcpServers: { [name]: config } }),
      },
    ],
    traps: [
      "The link holds the key: do not pass it on.",
      "If it asks you to sign in instead of using the key, remove the server and add it again.",
    ],
  };
}

function vscode({ url, name, key }: Place): Omit<ConnectSnippet, "client"> {
  const input = `${name}-key`;
  const shared = {
    inputs: [{ type: "promptString", id: input, description: "Countersign agent key", password: true }],
    servers: { [name]: { type: "http", url, headers: { Authorization: `Bearer \${input:${input}}` } } },
  };
  const own = { name, type: "http", url, headers: { Authorization: bearer(key) } };
  return {
    title: "VS Code",
    install: { label: "Install in VS Code", href: `vscode:mcp/install?${encodeURIComponent(JSON.stringify(own))}` },
    parts: [
      {
        label: "Configuration; VS Code asks for the key once",
        language: "json",
        file: ".vscode/mcp.json",
        code: json(shared),
      },
      run("Or from a terminal", `code --add-mcp ${shell(JSON.stringify(own))}`),
    ],
    traps: [
      'The key of the document is "servers"; other clients call it "mcpServers".',
      `Servers that use \${input:…} are not handed on to sessions of the Copilot coding agent.`,
    ],
  };
}

const program = (imports: string, options: string, client: string, { url, key }: Place): string => `${imports}

const transport = new StreamableHTTPClientTransport(new URL(${JSON.stringify(url)}), {
  requestInit: { headers: { Authorization: ${JSON.stringify(bearer(key))} } },
});
const client = new Client({ name: "my-agent", version: "1.0.0" }${options});
await client.connect(transport);
const { tools } = await client.listTools();
console.log(tools.map((tool) => tool.name).join("\\n"));
await client.close();
// ${client}
`;

function typescriptV2(place: Place): Omit<ConnectSnippet, "client"> {
  const imports = `import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";`;
  const note =
    'A call: await client.callTool({ name: "…", arguments: {} }); its audit entry is in result._meta["dev.countersign/entry"].';
  return {
    title: "TypeScript SDK 2",
    install: null,
    parts: [
      run("Install", "npm install @modelcontextprotocol/client"),
      {
        label: "Program",
        language: "typescript",
        file: "list-tools.mjs",
        code: program(imports, `, { versionNegotiation: { mode: "auto" } }`, note, place),
      },
    ],
    traps: ["A refusal is a result with isError: true; its text names the missing permission."],
  };
}

function typescriptV1(place: Place): Omit<ConnectSnippet, "client"> {
  const imports = `import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";`;
  const note =
    'A call: await client.callTool({ name: "…", arguments: {} }); its audit entry is in result._meta["dev.countersign/entry"].';
  return {
    title: "TypeScript SDK 1",
    install: null,
    parts: [
      run("Install", "npm install @modelcontextprotocol/sdk"),
      { label: "Program", language: "typescript", file: "list-tools.mjs", code: program(imports, "", note, place) },
    ],
    traps: ["The .js at the end of the imports is part of the name."],
  };
}

function inspector({ url, key }: Place): Omit<ConnectSnippet, "client"> {
  const start = `npx @modelcontextprotocol/inspector --cli ${shell(url)} --transport http`;
  const header = `--header ${shell(`Authorization: ${bearer(key)}`)}`;
  return {
    title: "MCP Inspector",
    install: null,
    parts: [run("List the tools", `${start} ${header} --method tools/list`)],
    traps: ["Add --protocol-era legacy, auto or modern to try one revision of the protocol."],
  };
}

function curl({ url, key }: Place): Omit<ConnectSnippet, "client"> {
  const meta = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": { name: "curl", version: "1" },
  };
  const body = { jsonrpc: "2.0", id: 1, method: "tools/list", params: { _meta: meta } };
  const headers = [
    `Authorization: ${bearer(key)}`,
    "Content-Type: application/json",
    "Accept: application/json, text/event-stream",
    `MCP-Protocol-Version: ${MODERN}`,
    "Mcp-Method: tools/list",
  ];
  const lines = [
    `curl -sS ${shell(url)}`,
    ...headers.map((header) => `-H ${shell(header)}`),
    `--data ${shell(JSON.stringify(body))}`,
  ];
  return {
    title: "curl",
    install: null,
    parts: [run("List the tools", lines.map((line, at) => (at === 0 ? line : `  ${line}`)).join(" \\\n"))],
    traps: [
      "Mcp-Method must say what the body says; for tools/call also send Mcp-Name with the name of the tool.",
      "401 means that the key was mistyped, revoked or has run out; the answer does not say which.",
    ],
  };
}

const SNIPPETS = {
  "claude-code": claudeCode,
  cursor,
  vscode,
  "typescript-v2": typescriptV2,
  "typescript-v1": typescriptV1,
  inspector,
  curl,
} as const satisfies Record<ConnectClient, (place: Place) => Omit<ConnectSnippet, "client">>;

/** One client's snippet with the real address and key in it. */
export function connectSnippet(client: ConnectClient, target: ConnectTarget): ConnectSnippet {
  const name = target.serverSlug === undefined ? "countersign" : `countersign-${target.serverSlug}`;
  return { client, ...SNIPPETS[client]({ url: doorUrl(target), name, key: target.key }) };
}

/** All of them, in the order of the page. */
export const connectSnippets = (target: ConnectTarget): readonly ConnectSnippet[] =>
  CONNECT_CLIENTS.map((client) => connectSnippet(client, target));
