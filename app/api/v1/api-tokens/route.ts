import { route } from "@/lib/http/route";
import { mintApiToken } from "@/lib/members/mint-api-token";
import { listApiTokens } from "@/lib/members/read";

export const dynamic = "force-dynamic";

export const GET = route(listApiTokens);
export const POST = route(mintApiToken);
