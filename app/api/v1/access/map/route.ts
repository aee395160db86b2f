import { changePermissionMap } from "@/lib/access/change-permission-map";
import { getPermissionMap } from "@/lib/access/read";
import { route } from "@/lib/http/route";

export const dynamic = "force-dynamic";

export const GET = route(getPermissionMap);
/** As many changes as a draft may hold, each with the digest of what was looked at. */
const MAX_BYTES = 2 * 1024 * 1024;

export const PUT = route(changePermissionMap, { maxBytes: MAX_BYTES });
