import { toAppError } from "@/lib/core/errors";
import { logger } from "@/lib/core/logger";
import { type ListedTool, listUpstreamTools } from "@/lib/mcp/upstream/list-tools";
import { type Endpoint, openUpstream } from "@/lib/mcp/upstream/open-upstream";
import type { UpstreamPolicy } from "@/lib/mcp/upstream/policy";
import { isRecord, type Upstream } from "@/lib/mcp/upstream/protocol";
import { startDeadline } from "@/lib/resilience/deadline";
import type { ProbedTool, ServerProbe } from "@/lib/servers/schemas";

export type ProbeOptions = { readonly deadlineMs?: number; readonly policy?: UpstreamPolicy };

const DEFAULT_DEADLINE_MS = 15_000;
const MAX_WARNINGS = 50;

const NOTHING: ServerProbe = {
  ok: false,
  era: null,
  protocolVersion: null,
  serverName: null,
  serverVersion: null,
  instructions: null,
  capabilities: [],
  connectMs: null,
  listMs: null,
  error: null,
  tools: [],
};

const HINTS = ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"] as const;

/** What is kept of a listed tool. */
export function toProbedTool(tool: ListedTool): ProbedTool {
  const { annotations } = tool;
  const hints = HINTS.filter((hint) => typeof annotations?.[hint] === "boolean").map((hint) => [
    hint,
    annotations?.[hint],
  ]);
  return {
    ...tool,
    annotations: isRecord(annotations) ? Object.fromEntries(hints) : null,
    // Names for people's permissions are chosen where the server's slug is known; until then nobody is suggested in.
    suggestedPermission: "admin:*",
  };
}

/** Asks a server what it is and what it offers. Its faults, and our refusals, are part of the answer. */
export async function probeUpstream(
  endpoint: Endpoint,
  credential: Readonly<Record<string, string>> | undefined,
  options: ProbeOptions = {},
): Promise<ServerProbe> {
  const { deadlineMs = DEFAULT_DEADLINE_MS, policy } = options;
  const deadline = startDeadline(deadlineMs);
  let upstream: Upstream | null = null;
  let probe: ServerProbe = NOTHING;
  try {
    const startedAt = performance.now();
    upstream = openUpstream(endpoint, { credential, deadlineMs, ...(policy === undefined ? {} : { policy }) });
    const greeting = await upstream.greet(deadline);
    const greetedAt = performance.now();
    probe = { ...probe, ...greeting, connectMs: Math.round(greetedAt - startedAt) };
    const warnings: string[] = [];
    const { items: tools, cut } = await listUpstreamTools(upstream, deadline, (name, why) => {
      logger.warn({ tool: name, why }, "a tool is left out");
      if (warnings.length < MAX_WARNINGS) warnings.push(`The tool ${name} is left out: ${why}.`);
    });
    if (cut !== null) warnings.unshift(cut);
    const listMs = Math.round(performance.now() - greetedAt);
    const warned = warnings.length === 0 ? {} : { warnings };
    const told = { ...warned, ...(cut === null ? {} : { isCut: true as const }) };
    return { ...probe, ...told, ok: true, listMs, tools: tools.map(toProbedTool) };
  } catch (cause) {
    const { code, message } = toAppError(cause);
    return { ...probe, error: { code, message } };
  } finally {
    deadline.release();
    await upstream?.close();
  }
}
