import "server-only";
import type { BusMessage } from "@/lib/core/bus";
import type { RequestContext } from "@/lib/core/context";
import { AppError } from "@/lib/core/errors";
import { Outdated } from "@/lib/core/verb";
import { inTenant, type TenantTx } from "@/lib/db/in-tenant";
import type { Server } from "@/lib/generated/prisma/client";
import { openCredential } from "@/lib/servers/credential";
import { endpointOf } from "@/lib/servers/endpoint-of";
import { probeNow } from "@/lib/servers/probe-now";
import type { ServerEndpoint, ServerProbe } from "@/lib/servers/schemas";

export type ServerRow = Server;
/** What is kept of a probe; the tools have rows of their own. */
export type StoredProbe = Omit<ServerProbe, "tools">;

/** The server of this tenant; another tenant's id is as unknown as one that never was. */
export async function requireServer(tx: TenantTx, tenantId: string, id: string): Promise<ServerRow> {
  const row = await tx.server.findUnique({ where: { tenantId_id: { tenantId, id } } });
  if (row === null) throw new AppError("not_found", "There is no such server.");
  return row;
}

declare const locked: unique symbol;

/** A server's row as it stays for the rest of the transaction. What was read before the lock may be of yesterday. */
export type LockedServer = ServerRow & { readonly [locked]: true };

/** The server, after whoever else changes it or its tools. */
export async function requireLocked(tx: TenantTx, tenantId: string, id: string): Promise<LockedServer> {
  await tx.$executeRaw`select 1 from servers where tenant_id = ${tenantId}::uuid and id = ${id}::uuid for update`;
  return (await requireServer(tx, tenantId, id)) as LockedServer;
}

/** Where the stored row says the server is. */
export function toEndpoint(row: Pick<ServerRow, "transport" | "url" | "command" | "args" | "env">): ServerEndpoint {
  return endpointOf({ ...row, env: row.env as Record<string, string> });
}

/** The columns that hold an endpoint. */
export function endpointColumns(endpoint: ServerEndpoint) {
  return endpoint.transport === "stdio"
    ? { transport: endpoint.transport, command: endpoint.command, args: endpoint.args, env: endpoint.env }
    : { transport: endpoint.transport, url: endpoint.url, args: [], env: {} };
}

export const storedProbe = ({ tools: _tools, ...rest }: ServerProbe): StoredProbe => rest;

/** A fresh look at a stored server, taken outside of any transaction. */
export type FreshProbe = { readonly seenAt: Date; readonly probe: ServerProbe };

/** Asks a stored server what it offers now. */
export async function probeStored(ctx: RequestContext, id: string): Promise<FreshProbe> {
  const row = await inTenant(ctx.tenantId, (tx) => requireServer(tx, ctx.tenantId, id));
  const credential = await openCredential(ctx.tenantId, row.id, row.credentialKeyId, row.credential);
  return { seenAt: row.updatedAt, probe: await probeNow(row.slug, toEndpoint(row), credential) };
}

/** A probe speaks of the server as it was asked; one that was changed meanwhile must be asked again. */
export function requireUnchanged(row: LockedServer, seenAt: Date): void {
  if (row.updatedAt.getTime() === seenAt.getTime()) return;
  throw new Outdated("The server was changed while it was asked. Try again.");
}

export const serverChanged = (tenantId: string, serverId: string): BusMessage => ({
  topic: "server.changed",
  tenantId,
  serverId,
});
