import type { PinnedDefinition } from "@/lib/servers/definition-diff";
import { hiddenIn } from "@/lib/servers/hidden-text";
import type { DefinitionWarning } from "@/lib/servers/schemas";

/** Another tool of the tenant, by the server that offers it. */
export type NeighbourTool = { readonly server: string; readonly tool: string };

/** The tools of a tenant, made ready to have many definitions compared with them. */
export type Neighbours = {
  /** Names that a text can only mean as such. */
  readonly names: readonly string[];
  /** Tools by what people take their names for. */
  readonly alike: ReadonlyMap<string, readonly NeighbourTool[]>;
};

export function makeNeighbours(tools: readonly NeighbourTool[]): Neighbours {
  const alike = new Map<string, NeighbourTool[]>();
  for (const each of tools) {
    const name = folded(each.tool);
    const others = alike.get(name);
    if (others === undefined) alike.set(name, [each]);
    else others.push(each);
  }
  return { names: [...new Set(tools.map(({ tool }) => tool))].filter(looksLikeName), alike };
}

/** So much of a definition is looked through, far more than any honest one has; what is longer is said to be. */
const MAX_PROSE = 128 * 1_024;

/** Text that speaks to the model instead of describing the tool. */
const DIRECTIVES: readonly (readonly [RegExp, string])[] = [
  [
    /<\/?\s*(important|system|hidden|secret|instructions?|admin|assistant|critical)\b[^<>]{0,200}>/iu,
    "a tag that poses as an order",
  ],
  [
    /\b(ignore|disregard|forget|override)\b[^.\n]{0,40}\b(previous|prior|above|earlier|other|all)\b[^.\n]{0,30}\b(instructions?|rules?|prompts?|messages?)/iu,
    "an order to ignore other instructions",
  ],
  [
    /\b(do not|don't|never|without)\b[^.\n]{0,25}\b(tell|telling|mention|mentioning|inform|informing|notify|notifying|show|showing|ask|asking|reveal|revealing)\b[^.\n]{0,25}\buser\b/iu,
    "an order to keep something from the user",
  ],
  [
    /\b(before|after|when|whenever)\b[^.\n]{0,30}\b(using|calling|invoking|use|call)\b[^.\n]{0,20}\b(this|any|another|other)\b[^.\n]{0,15}\btools?\b/iu,
    "an order about when to use tools",
  ],
  [
    /\b(you|the assistant|the model|the agent)\s+(must|should always|shall|have to|are required to)\b/iu,
    "an order to the model",
  ],
  [/\bsystem prompt\b/iu, "a mention of the system prompt"],
  [/(~\/|\/etc\/|\.ssh\b|id_rsa|\.env\b|mcp\.json|credentials?\.json)/iu, "a path where secrets live"],
];

/** What a person who reviews a definition should look at first. `before` null: nothing was approved yet. */
export function definitionWarnings(
  before: PinnedDefinition | null,
  after: PinnedDefinition,
  neighbours: Neighbours,
  server: string,
): readonly DefinitionWarning[] {
  return [
    ...tooLong(after),
    ...hiddenText(after),
    ...directives(after),
    ...crossReferences(before, after, neighbours),
    ...(before === null ? shadowed(after, neighbours, server) : []),
    ...(before === null ? [] : newParameters(before, after)),
    ...(before === null ? [] : lostHints(before, after)),
  ];
}

/** Every text in a definition, keys included: a model reads those too. */
function textsIn(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  if (Array.isArray(value)) return value.flatMap(textsIn);
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [key, ...textsIn(inner)]);
}

const proseOf = (definition: PinnedDefinition): string => wholeProse(definition).slice(0, MAX_PROSE);
const wholeProse = ({ name: _, ...rest }: PinnedDefinition): string => textsIn(Object.values(rest)).join("\n");

function tooLong(definition: PinnedDefinition): readonly DefinitionWarning[] {
  const { length } = wholeProse(definition);
  if (length <= MAX_PROSE) return [];
  const text = `It holds ${length} characters of text, of which the first ${MAX_PROSE} were looked through.`;
  return [{ kind: "too_long", text }];
}

function hiddenText(definition: PinnedDefinition): readonly DefinitionWarning[] {
  const texts = `${String(definition.name)}\n${proseOf(definition)}`;
  return [...hiddenIn(texts)].map(([kind, count]) => ({
    kind: "hidden_text",
    text: `It holds hidden characters, which a model reads and a person does not see: ${kind} (${count}).`,
  }));
}

function directives(definition: PinnedDefinition): readonly DefinitionWarning[] {
  const prose = proseOf(definition);
  return DIRECTIVES.flatMap(([pattern, what]) => {
    const found = pattern.exec(prose)?.[0];
    return found === undefined
      ? []
      : [{ kind: "directive" as const, text: `It holds ${what}: “${found.slice(0, 120)}”.` }];
  });
}

/** Names that are ordinary words say nothing; those that are written like names do. */
const looksLikeName = (name: string): boolean => /[_\-.]|[a-z][A-Z]/.test(name) && name.length >= 4;

const mentions = (prose: string, name: string): boolean => {
  const escaped = name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`(?<![\\w-])${escaped}(?![\\w-])`).test(prose);
};

function crossReferences(
  before: PinnedDefinition | null,
  after: PinnedDefinition,
  { names }: Neighbours,
): readonly DefinitionWarning[] {
  const [old, fresh] = [before === null ? "" : proseOf(before), proseOf(after)];
  const named = names.filter(
    (name) => name !== after.name && fresh.includes(name) && mentions(fresh, name) && !mentions(old, name),
  );
  return named.slice(0, 5).map((name) => ({ kind: "cross_reference", text: `It speaks of another tool, ${name}.` }));
}

/** Names that a model, or a person in a hurry, takes for the same. */
const folded = (name: unknown): string =>
  String(name)
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, "");

function shadowed({ name }: PinnedDefinition, { alike }: Neighbours, server: string): readonly DefinitionWarning[] {
  return (alike.get(folded(name)) ?? [])
    .filter((each) => each.server !== server || each.tool !== name)
    .slice(0, 5)
    .map((each) => ({ kind: "shadowed_name", text: `Its name is like that of ${each.server}/${each.tool}.` }));
}

const membersOf = (value: unknown, key: string): unknown =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined;

const parametersOf = (schema: unknown): readonly string[] => {
  const properties = membersOf(schema, "properties");
  return typeof properties === "object" && properties !== null ? Object.keys(properties) : [];
};

function newParameters(before: PinnedDefinition, after: PinnedDefinition): readonly DefinitionWarning[] {
  const known = new Set(parametersOf(before.inputSchema));
  const required = membersOf(after.inputSchema, "required");
  const needed = new Set<unknown>(Array.isArray(required) ? required : []);
  return parametersOf(after.inputSchema)
    .filter((name) => !known.has(name))
    .map((name) => {
      const must = needed.has(name) ? ", and requires it" : "";
      return { kind: "new_parameter", text: `It takes a new parameter, ${name}${must}.` };
    });
}

function lostHints(before: PinnedDefinition, after: PinnedDefinition): readonly DefinitionWarning[] {
  const had = (definition: PinnedDefinition, hint: string) => membersOf(definition.annotations, hint) === true;
  const warnings: DefinitionWarning[] = [];
  if (had(before, "readOnlyHint") && !had(after, "readOnlyHint")) {
    warnings.push({ kind: "lost_read_only", text: "It no longer says that it only reads." });
  }
  if (!had(before, "destructiveHint") && had(after, "destructiveHint")) {
    warnings.push({ kind: "now_destructive", text: "It now says that it may destroy." });
  }
  return warnings;
}
