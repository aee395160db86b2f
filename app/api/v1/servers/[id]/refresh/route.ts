import { route } from "@/lib/http/route";
import { refreshServer } from "@/lib/servers/refresh-server";

export const dynamic = "force-dynamic";

export const POST = route(refreshServer);
