import { route } from "@/lib/http/route";
import { rejectDefinition } from "@/lib/servers/review-definition";

export const dynamic = "force-dynamic";

export const POST = route(rejectDefinition);
