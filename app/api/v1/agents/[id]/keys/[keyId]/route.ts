import { revokeAgentKey } from "@/lib/agents/keys";
import { route } from "@/lib/http/route";

export const dynamic = "force-dynamic";

export const DELETE = route(revokeAgentKey);
