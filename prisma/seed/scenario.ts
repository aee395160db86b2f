import type { Zone } from "@/lib/tenants/schemas";

export type ToolExample = { readonly tool: string; readonly arguments: Readonly<Record<string, unknown>> };

export type SeedPerson = { readonly email: string; readonly name: string; readonly roles: readonly string[] };

export type SeedRole = {
  readonly slug: string;
  readonly name: string;
  readonly description: string;
  readonly permissions: readonly string[];
};

export type SeedAgent = {
  readonly slug: string;
  readonly name: string;
  readonly description: string;
  /** E-mail of the member it belongs to. */
  readonly owner: string;
  readonly roles: readonly string[];
  readonly allowed: ToolExample;
  readonly denied: ToolExample;
  /** Further calls of the agent's first minutes, so that pages have something true to show. */
  readonly more: readonly ToolExample[];
};

/** A tenant of the demo, as data. `folder` is where its sample files are on this machine. */
export type Scenario = {
  readonly slug: string;
  readonly name: string;
  readonly zones: readonly Zone[];
  readonly residency: string;
  readonly people: readonly SeedPerson[];
  readonly roles: readonly SeedRole[];
  /** `<server>/<tool>` to permission; what is not named here stays unmapped. */
  readonly map: Readonly<Record<string, string>>;
  readonly files: Readonly<Record<string, string>>;
  readonly agents: (folder: string) => readonly SeedAgent[];
};

const each = (server: string, permission: string, tools: string): Record<string, string> =>
  Object.fromEntries(tools.split(" ").map((tool) => [`${server}/${tool}`, permission]));

/** What both tenants allow: reads are mapped to read, writes to write, and what nobody looked at stays unmapped. */
export const COMMON_MAP: Readonly<Record<string, string>> = {
  ...each("files", "files:read", "read_text_file read_multiple_files list_directory directory_tree search_files"),
  ...each("files", "files:read", "get_file_info list_allowed_directories"),
  ...each("files", "files:write", "write_file edit_file create_directory"),
  ...each("memory", "memory:read", "read_graph search_nodes open_nodes"),
  ...each("memory", "memory:write", "create_entities create_relations add_observations"),
  ...each("everything", "everything:read", "echo get-sum get-annotated-message get-structured-content get-tiny-image"),
  ...each("everything", "everything:execute", "trigger-long-running-operation"),
  ...each("remote", "remote:read", "echo get-sum get-structured-content"),
};

/** In both tenants, with another role in each. */
export const SHARED_PERSON = { email: "sam.rivera@group.example", name: "Sam Rivera" } as const;
/** Signs in and belongs nowhere. */
export const STRANGER = { email: "noor.adeyemi@elsewhere.example", name: "Noor Adeyemi" } as const;
export const PLATFORM_ADMIN = { email: "pia.hart@platform.example", name: "Pia Hart" } as const;
