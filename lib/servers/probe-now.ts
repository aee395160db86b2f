import "server-only";
import { AppError, type ErrorCode } from "@/lib/core/errors";
import { probeUpstream } from "@/lib/mcp/upstream/probe-upstream";
import { uncheckedPart } from "@/lib/servers/arguments/argument-check";
import {
  jointName,
  MAX_JOINT_NAME,
  type ProbedTool,
  type ServerEndpoint,
  type ServerProbe,
} from "@/lib/servers/schemas";
import { suggestPermissions } from "@/lib/servers/suggest-permission";

/** Slow starts are common (`npx` may fetch first); a person waits for this one, no agent does. */
const PROBE_DEADLINE_MS = 20_000;
const MAX_LONG_NAMES = 50;
const MAX_UNCHECKED = 20;

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
  const warnings = [...(probe.warnings ?? []), ...longNames(slug, probe.tools), ...uncheckedSchemas(probe.tools)];
  return {
    ...probe,
    ...(warnings.length === 0 ? {} : { warnings }),
    tools: probe.tools.map((tool) => ({
      ...tool,
      suggestedPermission: suggested.get(tool.name) ?? tool.suggestedPermission,
    })),
  };
}

/** Nothing is cut, because a cut name would be another one. */
const longNames = (slug: string, tools: readonly Pick<ProbedTool, "name">[]): readonly string[] =>
  tools
    .map(({ name }) => jointName(slug, name))
    .filter((name) => name.length > MAX_JOINT_NAME)
    .slice(0, MAX_LONG_NAMES)
    .map((name) => `Some clients refuse the name ${name}: it is longer than ${MAX_JOINT_NAME} characters.`);

/** Calls of such tools go through, and each says in the trail that it was not checked. */
const uncheckedSchemas = (tools: readonly Pick<ProbedTool, "name" | "inputSchema">[]): readonly string[] =>
  tools
    .flatMap(({ name, inputSchema }) => {
      const why = uncheckedPart(inputSchema ?? {});
      return why === null ? [] : [`Arguments of ${name} are not checked in full: its input schema ${why}.`];
    })
    .slice(0, MAX_UNCHECKED);

/** An address or program that we refuse is no server that happens to be down: it must not be stored. */
export function requireAdmissible(probe: ServerProbe): void {
  if (probe.error === null || !OUR_REFUSALS.has(probe.error.code)) return;
  throw new AppError(probe.error.code as ErrorCode, probe.error.message, {
    issues: [{ path: "endpoint", rule: probe.error.message }],
  });
}
