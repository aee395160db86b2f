import { route } from "@/lib/http/route";
import { getMe } from "@/lib/tenants/read";

export const dynamic = "force-dynamic";

export const GET = route(getMe);
