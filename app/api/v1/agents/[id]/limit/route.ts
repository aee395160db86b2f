import { route } from "@/lib/http/route";
import { changeAgentLimit } from "@/lib/limits/change-limits";

export const dynamic = "force-dynamic";

export const PUT = route(changeAgentLimit);
