import "server-only";
import { primitivesOf } from "@/lib/access/primitives";
import type { TenantTx } from "@/lib/db/in-tenant";
import { reviewSha256 } from "@/lib/servers/pinned-definition";

type Annotations = { readonly readOnlyHint?: boolean; readonly destructiveHint?: boolean } | null;

export type KnownTool = {
  readonly server: string;
  readonly serverName: string;
  readonly tool: string;
  readonly description: string;
  readonly suggestedPermission: string;
  readonly readOnly: boolean;
  readonly destructive: boolean;
  /** Null for what is no tool: it has no definition that could change. */
  readonly definition: KnownDefinition | null;
};
export type KnownDefinition = {
  readonly serverId: string;
  /** What is pinned, and what names it to those who look at it. */
  readonly sha256: string;
  readonly reviewSha256: string;
  /** True where nobody approved it, and where it is not held for somebody to do so. */
  readonly isUnseen: boolean;
};

/** Every tool that any registered server offers now, drafts included, by server and name. */
export async function readKnownTools(tx: TenantTx, tenantId: string): Promise<readonly KnownTool[]> {
  const rows = await tx.serverTool.findMany({
    where: { tenantId, removedAt: null },
    select: {
      name: true,
      description: true,
      suggestedPermission: true,
      annotations: true,
      ...{ serverId: true, title: true, definitionSha256: true, approvedAt: true },
      ...{ heldSha256: true, heldDefinition: true },
      server: { select: { slug: true, name: true } },
    },
  });
  const servers = await tx.server.findMany({ where: { tenantId }, select: { slug: true, name: true, probe: true } });
  const tools = rows.map((row): KnownTool => {
    const annotations = row.annotations as Annotations;
    return {
      server: row.server.slug,
      serverName: row.server.name,
      tool: row.name,
      description: row.description,
      suggestedPermission: row.suggestedPermission,
      readOnly: annotations?.readOnlyHint === true,
      // What a server says of itself only ever adds caution: without the hint a tool that writes may destroy.
      destructive: annotations?.readOnlyHint !== true && annotations?.destructiveHint === true,
      definition: {
        serverId: row.serverId,
        sha256: row.definitionSha256,
        reviewSha256: reviewSha256(row),
        isUnseen: row.approvedAt === null && row.heldSha256 === null,
      },
    };
  });
  return [...tools, ...servers.flatMap(otherOffers)].sort((a, b) =>
    a.server === b.server ? compare(a.tool, b.tool) : compare(a.server, b.server),
  );
}

/** Resources and prompts have keys in the map as tools have, where the server offers any. */
const otherOffers = ({ slug, name, probe }: { slug: string; name: string; probe: unknown }): readonly KnownTool[] =>
  primitivesOf(probe).map(({ key, description }) => ({
    server: slug,
    serverName: name,
    tool: key,
    description,
    suggestedPermission: `${slug}:read`,
    readOnly: true,
    destructive: false,
    definition: null,
  }));

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
