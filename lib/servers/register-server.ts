import "server-only";
import type { z } from "zod";
import type { RequestContext } from "@/lib/core/context";
import { AppError } from "@/lib/core/errors";
import { newId } from "@/lib/core/ids";
import { inTenant, type TenantTx } from "@/lib/db/in-tenant";
import { defineWrite } from "@/lib/db/verbs";
import { requireSoundEndpoint } from "@/lib/servers/check-endpoint";
import { type SealedCredential, sealCredential } from "@/lib/servers/credential";
import { auditedServer, readServerDetail } from "@/lib/servers/detail";
import { endpointColumns, serverChanged, storedProbe } from "@/lib/servers/internal";
import { probeNow, requireAdmissible } from "@/lib/servers/probe-now";
import { storeListed } from "@/lib/servers/refresh-server";
import { registerServerInput, type ServerProbe } from "@/lib/servers/schemas";

type Input = z.output<typeof registerServerInput>;
type Prepared = {
  readonly id: string;
  readonly probe: ServerProbe;
  readonly sealed: SealedCredential | null;
};

async function requireFreeSlug(tx: TenantTx, tenantId: string, slug: string): Promise<void> {
  // The lock makes the second of two registrations at once wait and then see the first.
  await tx.$executeRaw`select pg_advisory_xact_lock(hashtextextended(${`server_slug:${tenantId}:${slug}`}, 0))`;
  const taken = await tx.server.findUnique({ where: { tenantId_slug: { tenantId, slug } }, select: { id: true } });
  if (taken === null) return;
  throw new AppError("conflict", `There is a server called ${slug} already.`, {
    issues: [{ path: "slug", rule: "is taken by another server" }],
  });
}

async function prepare(ctx: RequestContext, input: Input): Promise<Prepared> {
  requireSoundEndpoint(input.endpoint, input.credential);
  await inTenant(ctx.tenantId, (tx) => requireFreeSlug(tx, ctx.tenantId, input.slug));
  const id = newId();
  const probe = await probeNow(input.slug, input.endpoint, input.credential);
  requireAdmissible(probe);
  return { id, probe, sealed: await sealCredential(ctx.tenantId, id, input.credential) };
}

/**
 * Registers a server as a draft with the tools it offers now. One that does not answer is registered too, with what
 * went wrong, because its address may be right and its day bad; it cannot be enabled until it answers.
 */
export const registerServer = defineWrite({
  permission: "servers:write",
  input: registerServerInput,
  status: 201,
  prepare,
  run: async (tx, ctx, input, { id, probe, sealed }) => {
    const { tenantId } = ctx;
    await requireFreeSlug(tx, tenantId, input.slug);
    const ownerMemberId = ctx.actor.kind === "user" ? ctx.actor.memberId : null;
    const { slug, name, description, zones, residency, deadlineMs, poolSize } = input;
    await tx.server.create({
      data: {
        ...{ tenantId, id, slug, name, description, zones, residency, deadlineMs, poolSize, ownerMemberId },
        ...endpointColumns(input.endpoint),
        ...(sealed ?? {}),
        probe: storedProbe(probe),
        probedAt: new Date(),
      },
    });
    await storeListed(tx, { tenantId, id, slug }, probe.tools, { isDraft: true, isCut: false });
    const server = await readServerDetail(tx, tenantId, id);
    return {
      result: server,
      audit: { action: "server.registered", target: slug, after: { id, ...auditedServer(server) } },
      publish: [serverChanged(tenantId, id)],
    };
  },
});
