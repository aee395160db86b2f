import { z } from "zod";
import { slug } from "@/lib/core/wire";

const name = z.string().trim().min(1).max(80);
const description = z.string().trim().max(500);
// Few stars, because each one doubles the ways to match a name.
const fewStars = (text: string): boolean => text.split("*").length <= 4;

/**
 * What belongs: a server's slug or `*`, and a tool's name in which `*` stands for any characters, or the key that stands
 * for the server's resources or prompts.
 */
export const profileTool = z.object({
  server: z.union([z.literal("*"), slug]),
  tool: z
    .string()
    .regex(
      /^(?:[A-Za-z0-9_.*-]{1,128}|resources:read|prompts:get)$/,
      "must be a tool's name, in which * stands for any characters, or resources:read or prompts:get",
    )
    .refine(fewStars, "must hold at most three *"),
});
export type ProfileTool = z.output<typeof profileTool>;

export const profileMode = z.enum(["list", "search"]);
export type ProfileMode = z.output<typeof profileMode>;
const tools = z.array(profileTool).min(1).max(500);

/** POST /api/v1/profiles */
export const createProfileInput = z.object({
  slug,
  name,
  description: description.default(""),
  mode: profileMode.default("list"),
  tools,
});
export type CreateProfileInput = z.input<typeof createProfileInput>;

/** PATCH /api/v1/profiles/{id} */
export const changeProfileInput = z.object({
  id: z.uuid(),
  name: name.optional(),
  description: description.optional(),
  mode: profileMode.optional(),
  tools: tools.optional(),
});

/** DELETE /api/v1/profiles/{id} */
export const profileRef = z.object({ id: z.uuid(), reason: z.string().trim().max(500).optional() });

/** What a list costs whoever reads it. Tokens are an estimate: bytes of the serialised list / 4. */
export type CatalogCost = { readonly toolCount: number; readonly bytes: number; readonly estimatedTokens: number };

export type ProfileView = {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly description: string;
  readonly mode: ProfileMode;
  readonly tools: readonly ProfileTool[];
  /** Where it is served. */
  readonly door: string;
  /** Tools of enabled servers that match; which of them a caller sees, its permissions decide. */
  readonly toolCount: number;
  /** What its door lists to one who may call all of it. */
  readonly cost: CatalogCost;
  /** What the same tools would cost as a plain list. */
  readonly listCost: CatalogCost;
  /** Names on its door that some clients refuse, because they are longer than 64 characters. */
  readonly longNames: readonly string[];
  readonly updatedAt: string;
};

/** GET /api/v1/profiles */
export type ProfileList = {
  readonly items: readonly ProfileView[];
  readonly nextCursor: null;
  /** What the joint door lists to one who may call everything. */
  readonly everything: CatalogCost;
};
