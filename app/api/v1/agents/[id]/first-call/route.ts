import { getFirstCall } from "@/lib/agents/read";
import { route } from "@/lib/http/route";

export const dynamic = "force-dynamic";

export const GET = route(getFirstCall);
