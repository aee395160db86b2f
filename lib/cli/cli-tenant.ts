import type { RequestContext } from "@/lib/core/context";
import { AppError } from "@/lib/core/errors";
import { newId, PLATFORM_TENANT_ID } from "@/lib/core/ids";
import { inPlatform } from "@/lib/db/in-tenant";

/** The id behind a slug; `platform` is the chain of acts that belong to no tenant. */
export async function tenantIdOf(slug: string): Promise<string> {
  if (slug === "platform") return PLATFORM_TENANT_ID;
  const tenant = await inPlatform((tx) => tx.tenant.findUnique({ where: { slug }, select: { id: true } }));
  if (tenant === null) throw new AppError("not_found", `There is no tenant ${slug}.`);
  return tenant.id;
}

/** Who acts at the command line: whoever can read the database's settings, named as the system's `cli`. */
export const cliContext = (tenantId: string): RequestContext => ({
  requestId: newId(),
  tenantId,
  actor: { kind: "system", job: "cli" },
  permissions: new Set(["admin:*"]),
  ip: null,
  userAgent: null,
});
