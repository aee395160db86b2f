import { route } from "@/lib/http/route";
import { changeServer } from "@/lib/servers/change-server";
import { getServer } from "@/lib/servers/read";
import { retireServer } from "@/lib/servers/retire-server";

export const dynamic = "force-dynamic";

export const GET = route(getServer);
export const PATCH = route(changeServer);
export const DELETE = route(retireServer);
