import { changeAgent } from "@/lib/agents/change-agent";
import { getAgent } from "@/lib/agents/read";
import { route } from "@/lib/http/route";

export const dynamic = "force-dynamic";

export const GET = route(getAgent);
export const PATCH = route(changeAgent);
