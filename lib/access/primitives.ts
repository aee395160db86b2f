/**
 * What a server offers beside its tools, as the permission map names it: one key for all resources of a server and one for
 * all its prompts. No tool can be called so, because names of tools hold no colon.
 */
export const RESOURCES = "resources:read";
export const PROMPTS = "prompts:get";

const OFFERED: Readonly<Record<string, { readonly key: string; readonly description: string }>> = {
  resources: { key: RESOURCES, description: "List and read the resources of the server." },
  prompts: { key: PROMPTS, description: "List and get the prompts of the server." },
};

export type Primitive = { readonly key: string; readonly description: string };

/** The keys behind what a server said it can do when it was asked last. */
export function primitivesOf(probe: unknown): readonly Primitive[] {
  const capabilities = (probe as { capabilities?: unknown } | null)?.capabilities;
  if (!Array.isArray(capabilities)) return [];
  return Object.entries(OFFERED)
    .filter(([name]) => capabilities.includes(name))
    .map(([, primitive]) => primitive);
}
