import { changePermissionMap } from "@/lib/access/change-permission-map";
import { getPermissionMap } from "@/lib/access/read";
import { perform } from "@/lib/audit/perform";
import type { RequestContext } from "@/lib/core/context";
import { logger } from "@/lib/core/logger";
import { listServers } from "@/lib/servers/read";
import { refreshServer } from "@/lib/servers/refresh-server";
import { registerServer } from "@/lib/servers/register-server";
import type { ServerView } from "@/lib/servers/schemas";
import { enableServer } from "@/lib/servers/switch-server";
import type { DemoServer } from "@/prisma/seed/demo-servers";
import type { Scenario } from "@/prisma/seed/scenario";

const REASON = "Set up by the demo";

/** Registers what is missing and enables what answers. A slow or broken server stays a draft and stops nothing. */
async function settleOne(ctx: RequestContext, wanted: DemoServer, known: ServerView | undefined): Promise<void> {
  if (known?.status === "disabled" || known?.status === "enabled") return;
  const { ready, ...input } = wanted;
  try {
    await ready;
    const server =
      known === undefined
        ? await perform(registerServer, ctx, input)
        : await perform(refreshServer, ctx, { id: known.id, reason: REASON });
    if (server.probe?.ok === true) await perform(enableServer, ctx, { id: server.id, reason: REASON });
    else logger.warn({ server: wanted.slug, error: server.probe?.error }, "a demo server does not answer yet");
  } catch (cause) {
    logger.warn({ err: cause, server: wanted.slug }, "a demo server could not be set up");
  }
}

/** Maps the tools of the scenario that are known and were never mapped. */
async function settleMap(ctx: RequestContext, scenario: Scenario): Promise<void> {
  const map = await perform(getPermissionMap, ctx, {});
  const unmapped = map.tools.filter((tool) => tool.permission === null);
  const changes = unmapped.flatMap(({ server, tool, reviewSha256 }) => {
    const permission = scenario.map[`${server}/${tool}`];
    if (permission === undefined) return [];
    // A demo server that was brought up to date may offer what came after its registration.
    return [{ server, tool, permission, ...(reviewSha256 === null ? {} : { reviewSha256 }) }];
  });
  if (changes.length === 0) return;
  await perform(changePermissionMap, ctx, { baseVersion: map.version, changes, reason: REASON });
}

/** Brings a tenant's servers and map to what the scenario says; true when every server is open. */
export async function settleServers(
  ctx: RequestContext,
  scenario: Scenario,
  servers: readonly DemoServer[],
): Promise<boolean> {
  const known = new Map((await perform(listServers, ctx, {})).map((server) => [server.slug, server]));
  await Promise.all(servers.map((server) => settleOne(ctx, server, known.get(server.slug))));
  await settleMap(ctx, scenario);
  const now = await perform(listServers, ctx, {});
  return servers.every(({ slug }) => now.some((server) => server.slug === slug && server.status !== "draft"));
}
