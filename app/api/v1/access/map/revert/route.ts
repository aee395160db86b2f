import { revertPermissionMap } from "@/lib/access/revert-permission-map";
import { route } from "@/lib/http/route";

export const dynamic = "force-dynamic";

export const POST = route(revertPermissionMap);
