import "server-only";
import type { z } from "zod";
import { parseInput, requirePermission } from "@/lib/audit/perform";
import type { RequestContext } from "@/lib/core/context";
import { AppError } from "@/lib/core/errors";
import { getGateway } from "@/lib/gateway/compose";
import { executeToolCall } from "@/lib/gateway/execute-tool-call";
import type { GatewayDeps } from "@/lib/gateway/gateway-deps";
import { userIdentity } from "@/lib/gateway/identity";
import { makeUpstreams } from "@/lib/gateway/upstreams";
import { wholeResult } from "@/lib/mcp/upstream/large-answers";
import type { RegisteredServer } from "@/lib/servers/registered-server";
import { serverForTrial } from "@/lib/servers/registry";
import { type TriedCall, tryToolInput } from "@/lib/servers/schemas";

/** The gateway's own connections are to servers that agents may reach; those to any other end with the trial. */
async function withConnections<T>(server: RegisteredServer, run: (gateway: GatewayDeps) => Promise<T>): Promise<T> {
  const gateway = getGateway();
  if (await gateway.upstreams.isCurrent(server)) return run(gateway);
  const upstreams = makeUpstreams();
  try {
    return await run({ ...gateway, upstreams });
  } finally {
    // A program may take its time to end; the person who tries does not wait for it.
    void upstreams.close();
  }
}

/** One real call as oneself, on the same road as an agent's; the server may still be a draft. */
export async function tryTool(ctx: RequestContext, rawInput: z.input<typeof tryToolInput>): Promise<TriedCall> {
  await requirePermission(ctx, "tools:call", "try a tool");
  const { id, tool, arguments: args } = parseInput(tryToolInput, rawInput);
  const server = await serverForTrial(ctx.tenantId, id);
  if (server === null) throw new AppError("not_found", "There is no such server.");
  const { requestId, ip, userAgent } = ctx;
  const outcome = await withConnections(server, (gateway) =>
    executeToolCall(gateway, {
      credential: { kind: "checked", identity: userIdentity(ctx) },
      ref: { server: server.slug, tool },
      args,
      server,
      entrance: { requestId, ip, userAgent, door: "console" },
    }),
  );
  const { entry, latencyMs } = outcome;
  // Without an entry there is nothing to show: the trail is away, and so is this door.
  if (entry === null) throw outcome.ok ? new AppError("internal", "An answer without an entry.") : outcome.error;
  if (outcome.ok) {
    const content = wholeResult(outcome.result, outcome.large);
    return { ok: content["isError"] !== true, entry, latencyMs, content, error: null };
  }
  const { code, message } = outcome.error;
  return { ok: false, entry, latencyMs, content: null, error: { code, message } };
}
