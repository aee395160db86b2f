import { route } from "@/lib/http/route";
import { revokeApiToken } from "@/lib/members/mint-api-token";

export const dynamic = "force-dynamic";

export const DELETE = route(revokeApiToken);
