import "server-only";
import type { TenantTx } from "@/lib/db/in-tenant";
import type { ToolChanges } from "@/lib/servers/pin-tools";

export type HeldTools = {
  readonly server: { readonly id: string; readonly slug: string };
  readonly changed: ToolChanges["held"];
};
type Row = { id: string; slug: string; name: string; sha256: string };

/** Of these tools, holds what nobody approved: somebody has to look at it before it is called. The servers' rows must be locked. */
export async function holdUnseen(
  tx: TenantTx,
  tenantId: string,
  tools: readonly { readonly server: string; readonly tool: string }[],
): Promise<readonly HeldTools[]> {
  if (tools.length === 0) return [];
  const now = new Date().toISOString();
  const rows = await tx.$queryRaw<Row[]>`update server_tools t
    set held_sha256 = t.definition_sha256, held_at = ${now}::timestamptz, rejected_at = null,
      held_definition = jsonb_build_object('title', t.title, 'description', t.description, 'inputSchema', t.input_schema,
        'outputSchema', t.output_schema, 'annotations', t.annotations)
    from servers s, jsonb_to_recordset(${JSON.stringify(tools)}::jsonb) as w(server text, tool text)
    where s.tenant_id = ${tenantId}::uuid and s.slug = w.server and t.tenant_id = s.tenant_id and t.server_id = s.id
      and t.name = w.tool and t.approved_at is null and t.held_sha256 is null
    returning s.id::text, s.slug, t.name, t.definition_sha256 as sha256`;
  const ids = [...new Set(rows.map(({ id }) => id))];
  await tx.server.updateMany({ where: { tenantId, id: { in: ids } }, data: { updatedAt: new Date() } });
  return ids.map((id) => {
    const its = rows.filter((row) => row.id === id);
    const changed = its.map(({ name, sha256 }) => ({ name, before: null, after: sha256 }));
    return { server: { id, slug: its[0]?.slug ?? "" }, changed };
  });
}
