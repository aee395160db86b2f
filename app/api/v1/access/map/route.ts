import { changePermissionMap } from "@/lib/access/change-permission-map";
import { getPermissionMap } from "@/lib/access/read";
import { route } from "@/lib/http/route";

export const dynamic = "force-dynamic";

export const GET = route(getPermissionMap);
export const PUT = route(changePermissionMap);
