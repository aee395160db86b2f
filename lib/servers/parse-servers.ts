import { type ParseError, parse } from "jsonc-parser";
import { z } from "zod";
import { AppError } from "@/lib/core/errors";
import { guardJson } from "@/lib/core/json-guard";
import type { ParsedServer, ServerEndpoint } from "@/lib/servers/schemas";
import { freeSlug, nameFromCommand, nameFromUrl } from "@/lib/servers/server-names";
import { splitCommand, UnreadableCommand } from "@/lib/servers/split-command";

const MAX_SERVERS = 50;
/** The parser calls itself for what is nested; a configuration nests little. */
const JSON_LIMITS = { maxBytes: 128 * 1_024, maxDepth: 32 };

const refuse = (rule: string): AppError =>
  new AppError("invalid_input", `This cannot be read as a server: ${rule}.`, { issues: [{ path: "text", rule }] });

/** Variables whose name or value says that they are secret travel sealed; everything else stays visible. */
const SECRET_NAME = /(KEY|TOKEN|SECRET|PASSWORD|PASSWD|PWD|CREDENTIAL|AUTH|COOKIE|PRIVATE|DSN|(^|_)PAT($|_))/i;
const SECRET_VALUE =
  /^(sk-|ghp_|gho_|github_pat_|glpat-|xox[abprs]-|AKIA|eyJ[A-Za-z0-9_-]+\.|-----BEGIN |Bearer )|:\/\/[^/\s:@]+:[^/\s@]+@/;

/** True when a variable must be sealed. */
export const isSecretVariable = (name: string, value: string): boolean =>
  SECRET_NAME.test(name) || SECRET_VALUE.test(value);

const text = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const serverConfig = z.looseObject({
  type: z.string().optional(),
  transport: z.string().optional(),
  url: z.string().optional(),
  serverUrl: z.string().optional(),
  httpUrl: z.string().optional(),
  headers: z.record(z.string(), text).optional(),
  command: z.string().min(1).optional(),
  args: z.array(text).optional(),
  env: z.record(z.string(), text).optional(),
});
type ServerConfig = z.output<typeof serverConfig>;
type Named = { readonly name: string; readonly endpoint: ServerEndpoint; readonly credential: Record<string, string> };

/** What documents call the transports that have an address. */
const TYPES: Readonly<Record<string, RemoteTransport>> = {
  http: "http",
  "streamable-http": "http",
  streamablehttp: "http",
  streamable_http: "http",
  sse: "sse",
  ws: "websocket",
  websocket: "websocket",
};
type RemoteTransport = Exclude<ServerEndpoint["transport"], "stdio">;

/** The transport that an address tells of by itself: the older one lives at `/sse` wherever it is served. */
function transportOf(url: URL): RemoteTransport {
  if (/^wss?:$/.test(url.protocol)) return "websocket";
  return /\/sse\/?$/.test(url.pathname) ? "sse" : "http";
}

function remoteServer(address: string, headers: Readonly<Record<string, string>>, stated?: RemoteTransport): Named {
  const url = URL.canParse(address) ? new URL(address) : null;
  if (url === null || !/^(https?|wss?):$/.test(url.protocol)) throw refuse(`"${address}" is not an http or ws URL`);
  const transport = stated ?? transportOf(url);
  if ((transport === "websocket") !== /^wss?:$/.test(url.protocol))
    throw refuse(`"${address}" is no address for ${transport}`);
  const credential: Record<string, string> = { ...headers };
  if (url.username !== "" || url.password !== "") {
    const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    const bytes = new TextEncoder().encode(pair);
    credential["Authorization"] ??= `Basic ${btoa(String.fromCharCode(...bytes))}`;
    url.username = "";
    url.password = "";
  }
  return { name: nameFromUrl(url), endpoint: { transport, url: url.href }, credential };
}

function stdioServer(command: string, args: readonly string[], variables: Readonly<Record<string, string>>): Named {
  const env: Record<string, string> = {};
  const credential: Record<string, string> = {};
  for (const [name, value] of Object.entries(variables)) {
    if (isSecretVariable(name, value)) credential[name] = value;
    else env[name] = value;
  }
  return {
    name: nameFromCommand(command, args),
    endpoint: { transport: "stdio", command, args: [...args], env },
    credential,
  };
}

function fromConfig(config: ServerConfig, label: string): Named {
  const type = (config.type ?? config.transport)?.toLowerCase();
  const url = config.url ?? config.httpUrl ?? config.serverUrl;
  const transport = type === undefined ? undefined : TYPES[type];
  if (url !== undefined && (type === undefined || transport !== undefined))
    return remoteServer(url, config.headers ?? {}, transport);
  if (config.command === undefined) throw refuse(`${label} has neither "url" nor "command"`);
  // Some people write the whole line into "command".
  const words = config.args === undefined ? splitLine(config.command) : [config.command];
  const [command = config.command, ...first] = words;
  return stdioServer(command, [...first, ...(config.args ?? [])], config.env ?? {});
}

function splitLine(line: string): readonly string[] {
  try {
    return splitCommand(line);
  } catch (cause) {
    if (cause instanceof UnreadableCommand) throw refuse(cause.message);
    throw cause;
  }
}

function fromLine(line: string): Named {
  if (/^(https?|wss?):\/\//i.test(line)) return remoteServer(line, {});
  const words = splitLine(line);
  const variables: Record<string, string> = {};
  let first = 0;
  for (; /^[A-Za-z_][A-Za-z0-9_]*=/.test(words[first] ?? ""); first += 1) {
    const word = words[first] ?? "";
    variables[word.slice(0, word.indexOf("="))] = word.slice(word.indexOf("=") + 1);
  }
  const [command, ...args] = words.slice(first);
  if (command === undefined) throw refuse("there is no program to start");
  return stdioServer(command, args, variables);
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The named configurations of a document, wherever it keeps them. */
function configsOf(document: unknown): readonly (readonly [string | null, unknown])[] {
  if (!isRecord(document)) throw refuse("a JSON object is expected");
  const inside = document["mcpServers"] ?? document["servers"];
  if (isRecord(inside)) return Object.entries(inside);
  if (["url", "command", "httpUrl", "serverUrl"].some((key) => typeof document[key] === "string"))
    return [[null, document]];
  const mcp = document["mcp"];
  if (isRecord(mcp)) return configsOf(mcp);
  return Object.entries(document);
}

/** As editors write it: comments and trailing commas are welcome. */
function fromJson(source: string): readonly Named[] {
  const faults: ParseError[] = [];
  guardJson(Buffer.from(source), JSON_LIMITS);
  const document: unknown = parse(source, faults, { allowTrailingComma: true, allowEmptyContent: false });
  if (faults.length > 0) throw refuse("the JSON is not complete or not well formed");
  return configsOf(document).map(([name, value]) => {
    const label = name === null ? "the server" : `"${name}"`;
    const config = serverConfig.safeParse(value);
    if (!config.success) throw refuse(`${label}: ${config.error.issues[0]?.path.join(".") ?? ""} is not as expected`);
    const named = fromConfig(config.data, label);
    return name === null ? named : { ...named, name };
  });
}

/**
 * What a paste means: URLs, command lines (one per line) or JSON with `mcpServers`, `servers` or one bare server.
 * Pure; nothing is contacted or started. Secrets are set apart from the endpoint.
 */
export function parseServers(source: string): readonly ParsedServer[] {
  const trimmed = source.trim();
  const lines = trimmed
    .replace(/\\\r?\n/g, " ")
    .split(/\r?\n/)
    .map((line) => line.trim().replace(/^\$ /, ""))
    .filter((line) => line !== "" && !line.startsWith("#"));
  // `"name": { … }` is what one copies out of the middle of a document.
  const json = /^"[^"]+"\s*:\s*\{/.test(trimmed) ? `{${trimmed}}` : trimmed;
  const found = /^(\{|\[|\/\/|\/\*)/.test(json) ? fromJson(json) : lines.map(fromLine);
  if (found.length === 0) throw refuse("it names no server");
  if (found.length > MAX_SERVERS)
    throw refuse(`it names ${found.length} servers, at most ${MAX_SERVERS} can be read at once`);
  const taken = new Set<string>();
  return found.map(({ name, endpoint, credential }) => ({
    slug: freeSlug(name, taken),
    name: name.slice(0, 80),
    endpoint,
    ...(Object.keys(credential).length === 0 ? {} : { credential }),
  }));
}
