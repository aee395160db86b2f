import { listAgentKeys, mintAgentKey } from "@/lib/agents/keys";
import { route } from "@/lib/http/route";

export const dynamic = "force-dynamic";

export const GET = route(listAgentKeys);
export const POST = route(mintAgentKey);
