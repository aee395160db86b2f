import "server-only";
import { primitivesOf } from "@/lib/access/primitives";
import type { TenantTx } from "@/lib/db/in-tenant";

type Annotations = { readonly readOnlyHint?: boolean; readonly destructiveHint?: boolean } | null;

export type KnownTool = {
  readonly server: string;
  readonly serverName: string;
  readonly tool: string;
  readonly description: string;
  readonly suggestedPermission: string;
  readonly readOnly: boolean;
  readonly destructive: boolean;
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
  }));

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
