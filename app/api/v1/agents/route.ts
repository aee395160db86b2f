import { createAgent } from "@/lib/agents/create-agent";
import { listAgents } from "@/lib/agents/read";
import { route } from "@/lib/http/route";

export const dynamic = "force-dynamic";

export const GET = route(listAgents);
export const POST = route(createAgent);
