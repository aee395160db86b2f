import type { ProbedTool } from "@/lib/servers/schemas";

type Action = "read" | "write" | "delete" | "execute";

/** Verbs people name tools with. The first word of the name that is one of these says what the tool does. */
const VERBS: Readonly<Record<string, Action>> = {
  ...fill(
    "read",
    "get list read search find fetch show view describe query lookup check count head tail stat tree open retrieve browse inspect ping echo explain summarize validate print info download",
  ),
  ...fill(
    "write",
    "create add write edit update set put insert upsert append move rename copy upload save patch modify assign link attach post send publish comment merge approve toggle register replace subscribe import",
  ),
  ...fill("delete", "delete remove drop destroy purge clear erase truncate unlink revoke cancel reset wipe archive"),
  ...fill(
    "execute",
    "run execute exec eval invoke call trigger start stop restart deploy build launch simulate spawn kill click type navigate",
  ),
};

/** What a server is about, from words in its tools' names; used where its own slug says less. */
const DOMAINS: readonly (readonly [RegExp, string])[] = [
  [/(^|_)(file|files|directory|directories|folder|path)(_|$)/, "files"],
  [/(^|_)(entity|entities|relation|relations|observation|observations|graph|nodes|memory|memories)(_|$)/, "memory"],
  [/(^|_)(repo|repository|commit|branch|branches|pull|issue|issues)(_|$)/, "code"],
  [/(^|_)(sql|table|tables|database|schema|rows)(_|$)/, "database"],
  [/(^|_)(email|emails|mail|inbox)(_|$)/, "mail"],
  [/(^|_)(calendar|event|events|meeting)(_|$)/, "calendar"],
];
/** Namespaces of the console itself: a tool suggested into one would be granted with it by accident. */
const RESERVED = new Set([
  "admin",
  "platform",
  "servers",
  "access",
  "agents",
  "members",
  "audit",
  "metrics",
  "tenant",
  "tools",
]);

function fill(action: Action, words: string): Record<string, Action> {
  return Object.fromEntries(words.split(" ").map((word) => [word, action]));
}

/** `readFile`, `read-file` and `read_file` are the words read and file. */
const wordsOf = (name: string): readonly string[] =>
  name
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== "");

function actionOf(name: string, annotations: ProbedTool["annotations"]): Action {
  const named = wordsOf(name)
    .map((word) => (Object.hasOwn(VERBS, word) ? VERBS[word] : undefined))
    .find((action) => action !== undefined);
  if (annotations?.readOnlyHint === true) return "read";
  if (named === "delete") return "delete";
  // A tool that says it changes things is never suggested as a read, whatever its name.
  if (annotations?.readOnlyHint === false) return named === "execute" ? "execute" : "write";
  return named ?? "execute";
}

/** The namespace for all tools of a server: what most of its tools are about, its slug otherwise. */
export function suggestNamespace(slug: string, toolNames: readonly string[]): string {
  const names = toolNames.map((name) => wordsOf(name).join("_"));
  const about = DOMAINS.map(([words, domain]) => ({ domain, hits: names.filter((name) => words.test(name)).length }));
  const best = about.reduce((a, b) => (b.hits > a.hits ? b : a), { domain: slug, hits: 0 });
  const namespace = best.hits * 2 > names.length ? best.domain : slug;
  return RESERVED.has(namespace) ? `${namespace}-tools` : namespace;
}

/** A starting point for the map. Annotations are claims of the server, so they are never more than a suggestion. */
export const suggestPermission = (namespace: string, name: string, annotations: ProbedTool["annotations"]): string =>
  `${namespace}:${actionOf(name, annotations)}`;

/** Suggestions for all tools of one server. */
export function suggestPermissions(
  slug: string,
  tools: readonly Pick<ProbedTool, "name" | "annotations">[],
): ReadonlyMap<string, string> {
  const namespace = suggestNamespace(
    slug,
    tools.map((tool) => tool.name),
  );
  return new Map(tools.map((tool) => [tool.name, suggestPermission(namespace, tool.name, tool.annotations)]));
}
