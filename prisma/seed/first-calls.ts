import { newId } from "@/lib/core/ids";
import { logger } from "@/lib/core/logger";
import { getGateway } from "@/lib/gateway/compose";
import { executeToolCall } from "@/lib/gateway/execute-tool-call";
import type { DemoFile } from "@/prisma/seed/demo-file";
import { folderOf } from "@/prisma/seed/demo-servers";
import type { Scenario, ToolExample } from "@/prisma/seed/scenario";

type Caller = DemoFile["agents"][number];

const ROUNDS = 3;

async function call(caller: Caller, { tool, arguments: args }: ToolExample): Promise<void> {
  const cut = tool.indexOf("__");
  await executeToolCall(getGateway(), {
    credential: { kind: "key", secret: caller.key },
    ref: { server: tool.slice(0, cut), tool: tool.slice(cut + 2) },
    args,
    entrance: {
      requestId: newId(),
      door: "/api/mcp",
      clientName: "demo",
      ip: "127.0.0.1",
      userAgent: "countersign-demo",
    },
  });
}

/** Some real calls of every demo agent on the road itself, so that the first look at the console shows something true. */
export async function makeFirstCalls(
  file: DemoFile,
  scenarios: readonly Scenario[],
  dataDir: string,
  signal?: AbortSignal,
): Promise<void> {
  let made = 0;
  for (const caller of file.agents) {
    const scenario = scenarios.find((candidate) => candidate.slug === caller.tenant);
    const agents = scenario?.agents(folderOf(dataDir, scenario.slug)) ?? [];
    const more = agents.find((agent) => agent.slug === caller.name)?.more ?? [];
    const calls = [...more, ...Array<ToolExample>(ROUNDS).fill(caller.allowed), caller.denied];
    // One after the other: the newcomer's own first call must not wait behind them.
    for (const example of calls) {
      if (signal?.aborted === true) return;
      await call(caller, example);
      made += 1;
    }
  }
  logger.info({ calls: made }, "the demo's agents made their first calls");
}
