import { canonicalSha256 } from "@/lib/core/canonical-json";
import type { Prisma, ServerTool } from "@/lib/generated/prisma/client";
import type { PinnedDefinition } from "@/lib/servers/definition-diff";
import type { ProbedTool } from "@/lib/servers/schemas";

type Json = Prisma.InputJsonValue;
type Columns = Pick<ServerTool, "name" | "title" | "description" | "inputSchema" | "outputSchema" | "annotations">;

/** A definition as it waits beside the approved one. */
export type HeldDefinition = {
  readonly title: string | null;
  readonly description: string;
  readonly inputSchema: unknown;
  readonly outputSchema: unknown;
  readonly annotations: ProbedTool["annotations"];
};

/** The part of a tool that is held when it differs. */
export const toHeld = ({ title, description, inputSchema, outputSchema, annotations }: ProbedTool): HeldDefinition => ({
  title,
  description,
  inputSchema: inputSchema ?? { type: "object" },
  outputSchema: outputSchema ?? null,
  annotations,
});

/** The columns that hold a definition. Absent JSON is left out, which a new row keeps as NULL. */
export const definitionColumns = (
  tool: HeldDefinition & { readonly name: string; readonly definitionSha256: string },
) => ({
  name: tool.name,
  title: tool.title,
  description: tool.description,
  inputSchema: (tool.inputSchema ?? { type: "object" }) as Json,
  ...(tool.outputSchema == null ? {} : { outputSchema: tool.outputSchema as Json }),
  ...(tool.annotations === null ? {} : { annotations: { ...tool.annotations } }),
  definitionSha256: tool.definitionSha256,
});

/** What is in force, as it is compared. */
export const approvedOf = (row: Columns): PinnedDefinition => ({
  name: row.name,
  title: row.title,
  description: row.description,
  inputSchema: row.inputSchema,
  outputSchema: row.outputSchema,
  annotations: row.annotations,
});

/** What waits, as it is compared; the definition in force where that is what nobody approved. */
export function pendingOf(row: Columns & Pick<ServerTool, "heldDefinition" | "heldSha256">): PinnedDefinition {
  const held = row.heldSha256 === null ? null : (row.heldDefinition as HeldDefinition | null);
  return held === null ? approvedOf(row) : { name: row.name, ...held };
}

/** Names exactly what a person looked at: the server's digest leaves the title out, and people read titles. */
export function reviewSha256(
  row: Pick<ServerTool, "title" | "definitionSha256" | "heldDefinition" | "heldSha256">,
): string {
  const held = row.heldSha256 === null ? null : (row.heldDefinition as HeldDefinition | null);
  return canonicalSha256({ sha256: row.heldSha256 ?? row.definitionSha256, title: (held ?? row).title });
}
