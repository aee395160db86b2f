import "server-only";
import { AppError, type ErrorCode } from "@/lib/core/errors";
import { probeUpstream } from "@/lib/mcp/upstream/probe-upstream";
import type { ServerEndpoint, ServerProbe } from "@/lib/servers/schemas";
import { suggestPermissions } from "@/lib/servers/suggest-permission";

/** Slow starts are common (`npx` may fetch first); a person waits for this one, no agent does. */
const PROBE_DEADLINE_MS = 20_000;

/** What we refuse ourselves before anything is contacted or started. */
const OUR_REFUSALS: ReadonlySet<string> = new Set<ErrorCode>(["egress_refused", "invalid_input"]);

/** Asks a server what it is, with suggestions for its tools. A fault of the server is part of the answer. */
export async function probeNow(
  slug: string,
  endpoint: ServerEndpoint,
  credential: Readonly<Record<string, string>> | undefined,
): Promise<ServerProbe> {
  const probe = await probeUpstream(endpoint, credential === undefined ? undefined : { ...credential }, {
    deadlineMs: PROBE_DEADLINE_MS,
  });
  const suggested = suggestPermissions(slug, probe.tools);
  return {
    ...probe,
    tools: probe.tools.map((tool) => ({
      ...tool,
      suggestedPermission: suggested.get(tool.name) ?? tool.suggestedPermission,
    })),
  };
}

/** An address or program that we refuse is no server that happens to be down: it must not be stored. */
export function requireAdmissible(probe: ServerProbe): void {
  if (probe.error === null || !OUR_REFUSALS.has(probe.error.code)) return;
  throw new AppError(probe.error.code as ErrorCode, probe.error.message, {
    issues: [{ path: "endpoint", rule: probe.error.message }],
  });
}
