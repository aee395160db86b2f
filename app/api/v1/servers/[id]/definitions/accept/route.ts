import { route } from "@/lib/http/route";
import { acceptDefinition } from "@/lib/servers/review-definition";

export const dynamic = "force-dynamic";

export const POST = route(acceptDefinition);
