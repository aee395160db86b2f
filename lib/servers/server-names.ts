const FILE_NAMES = new Set(["index", "main", "server", "cli", "app", "start", "stdio"]);
const FOLDER_NAMES = new Set(["dist", "build", "src", "lib", "bin", "out", "node_modules", ""]);
const RUNNERS = new Set([
  "npx",
  "node",
  "uvx",
  "uv",
  "bunx",
  "bun",
  "pnpm",
  "python",
  "python3",
  "deno",
  "docker",
  "tsx",
]);
const RUNNER_WORDS = new Set(["run", "dlx", "exec", "x", "tool"]);
const HOST_NOISE = new Set(["www", "mcp", "api", "app", "server", "gateway"]);

/** Any text as a slug: starts with a letter, at most 31 characters. */
export function toSlug(text: string): string {
  const plain = text
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
  const lettered = /^[a-z]/.test(plain) ? plain : `server-${plain}`;
  return lettered.slice(0, 31).replace(/-$/, "") || "server";
}

/** A slug that is not among `taken`; adds it. */
export function freeSlug(text: string, taken: Set<string>): string {
  const wanted = toSlug(text);
  let slug = wanted;
  for (let count = 2; taken.has(slug); count += 1) slug = `${wanted.slice(0, 31 - `-${count}`.length)}-${count}`;
  taken.add(slug);
  return slug;
}

/** What people would call a server at this address: the telling label of its host. */
export function nameFromUrl(url: URL): string {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (host === "localhost" || /^[\d.]+$/.test(host) || host.includes(":"))
    return url.port === "" ? "local" : `local-${url.port}`;
  const labels = host.split(".").slice(0, -1);
  const telling = labels.filter((label) => !HOST_NOISE.has(label));
  return telling.at(-1) ?? labels.at(-1) ?? host;
}

/** `@scope/server-files@1.2` and `files-mcp` are both called files. */
function packageName(word: string): string {
  const bare = word.replace(/^@[^/]+\//, "").replace(/(?<=.)@[^@]*$/, "");
  return bare.replace(/^(mcp-server-|server-|mcp-)/, "").replace(/(-mcp-server|-mcp|-server)$/, "") || bare;
}

function fileName(path: string): string {
  const parts = path.split(/[/\\]/);
  const file = (parts.pop() ?? "").replace(/\.[a-z]+$/i, "");
  if (!FILE_NAMES.has(file.toLowerCase())) return packageName(file);
  const folder = parts.reverse().find((part) => !FOLDER_NAMES.has(part.toLowerCase()));
  return folder === undefined ? file : packageName(folder);
}

const isPath = (word: string): boolean => /^[./~\\]|^[a-z]:\\/i.test(word) || /\.(js|mjs|cjs|ts|py)$/i.test(word);

/** What people would call the program that this command starts. */
export function nameFromCommand(command: string, args: readonly string[]): string {
  const program = (command.split(/[/\\]/).pop() ?? command).replace(/\.(exe|cmd)$/i, "");
  if (!RUNNERS.has(program)) return packageName(program);
  const word = args.find((arg) => !arg.startsWith("-") && !RUNNER_WORDS.has(arg));
  if (word === undefined) return program;
  return isPath(word) ? fileName(word) : packageName(word);
}
