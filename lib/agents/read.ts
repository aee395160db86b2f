import "server-only";
import { z } from "zod";
import { readAgentDetail } from "@/lib/agents/detail";
import { AGENT_PARTS, requireAgent } from "@/lib/agents/internal";
import { readLastCalls } from "@/lib/agents/last-calls";
import type { AgentView, FirstCallView } from "@/lib/agents/schemas";
import { toAgentView } from "@/lib/agents/views";
import { defineRead } from "@/lib/db/verbs";

const agentRef = z.object({ id: z.uuid() });

/** Every agent of the tenant, by name. */
export const listAgents = defineRead({
  permission: "agents:read",
  input: z.object({}),
  run: async (tx, ctx): Promise<readonly AgentView[]> => {
    const { tenantId } = ctx;
    const rows = await tx.agent.findMany({ where: { tenantId }, include: AGENT_PARTS, orderBy: { slug: "asc" } });
    const calls = await readLastCalls(
      tx,
      tenantId,
      rows.map((row) => row.id),
    );
    return rows.map((row) => toAgentView(row, calls.get(row.id)?.ts ?? null));
  },
});

/** One agent with its keys and what it may call. */
export const getAgent = defineRead({
  permission: "agents:read",
  input: agentRef,
  run: (tx, ctx, { id }) => readAgentDetail(tx, ctx.tenantId, id),
});

const toolName = (server: string | null, tool: string | null): string | null =>
  server === null || tool === null ? tool : `${server}__${tool}`;

/** Whether the door has heard from an agent, and what came of its latest call. */
export const getFirstCall = defineRead({
  permission: "agents:read",
  input: agentRef,
  run: async (tx, ctx, { id }): Promise<FirstCallView> => {
    await requireAgent(tx, ctx.tenantId, id);
    const call = (await readLastCalls(tx, ctx.tenantId, [id])).get(id);
    if (call === undefined) return { seen: false, at: null, tool: null, outcome: null, entry: null };
    const { ts, server, tool, outcome, eventId } = call;
    return { seen: true, at: ts.toISOString(), tool: toolName(server, tool), outcome, entry: eventId };
  },
});
