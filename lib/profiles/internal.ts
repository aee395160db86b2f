import "server-only";
import type { BusMessage } from "@/lib/core/bus";
import { AppError } from "@/lib/core/errors";
import type { TenantTx } from "@/lib/db/in-tenant";
import type { Profile as ProfileRow } from "@/lib/generated/prisma/client";
import { listCost, SEARCH_COST } from "@/lib/profiles/catalog-cost";
import { makeMatches } from "@/lib/profiles/match";
import type { ProfileMode, ProfileTool, ProfileView } from "@/lib/profiles/schemas";
import { jointName, MAX_JOINT_NAME } from "@/lib/servers/schemas";

/** A tool of an enabled server, with the bytes that its definition takes on the joint door. */
export type SizedTool = { readonly server: string; readonly tool: string; readonly bytes: number };

/** The profile of this tenant; another tenant's id is as unknown as one that never was. */
export async function requireProfile(tx: TenantTx, tenantId: string, id: string): Promise<ProfileRow> {
  const row = await tx.profile.findUnique({ where: { tenantId_id: { tenantId, id } } });
  if (row === null) throw new AppError("not_found", "There is no such profile.");
  return row;
}

/** Everything that agents may be listed, with its size. */
export async function readSizedTools(tx: TenantTx, tenantId: string): Promise<readonly SizedTool[]> {
  const rows = await tx.serverTool.findMany({
    where: { tenantId, removedAt: null, server: { status: "enabled" } },
    select: {
      ...{ name: true, title: true, description: true, inputSchema: true, outputSchema: true, annotations: true },
      ...{ approvedAt: true, heldSha256: true, server: { select: { slug: true } } },
    },
  });
  const listed = rows.filter(({ approvedAt, heldSha256 }) => approvedAt !== null || heldSha256 === null);
  return listed.map(({ server, approvedAt: _a, heldSha256: _h, ...definition }) => {
    const present = Object.entries({ ...definition, name: jointName(server.slug, definition.name) });
    const json = JSON.stringify(Object.fromEntries(present.filter(([, value]) => value !== null)));
    return { server: server.slug, tool: definition.name, bytes: Buffer.byteLength(json) };
  });
}

export const doorOf = (slug: string): string => `/api/mcp/p/${slug}`;

/** A row as the wire shows it. */
export function toProfileView(row: ProfileRow, sized: readonly SizedTool[]): ProfileView {
  const tools = row.tools as unknown as readonly ProfileTool[];
  const matches = makeMatches(tools);
  const inside = sized.filter(({ server, tool }) => matches(server, tool));
  const plain = listCost(inside.map(({ bytes }) => bytes));
  const names = inside.map(({ server, tool }) => jointName(server, tool));
  const mode = row.mode as ProfileMode;
  return {
    ...{ id: row.id, slug: row.slug, name: row.name, description: row.description, mode, tools },
    door: doorOf(row.slug),
    toolCount: inside.length,
    cost: mode === "search" ? SEARCH_COST : plain,
    listCost: plain,
    longNames: names.filter((name) => name.length > MAX_JOINT_NAME).sort(),
    updatedAt: row.updatedAt.toISOString(),
  };
}

export const readProfileView = async (tx: TenantTx, tenantId: string, id: string): Promise<ProfileView> =>
  toProfileView(await requireProfile(tx, tenantId, id), await readSizedTools(tx, tenantId));

/** What of a profile stands in the trail. */
export const auditedProfile = ({ slug, name, description, mode, tools }: ProfileView) => ({
  ...{ slug, name, description, mode, tools },
});

export const profileChanged = (tenantId: string): BusMessage => ({ topic: "profile.changed", tenantId });
